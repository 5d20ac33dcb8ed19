"""A body that was read whole before its route began, and how the route gets at it uncopied."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")

HELD = "robot_hub.body"
"""Where it stands in its request's state."""


@dataclass(slots=True)
class HeldBody:
    """One body."""

    content: bytearray = field(default_factory=bytearray)
    taken_bytes: int = 0
    """What it holds of the memory for all bodies until its request is over."""
    handed_out: bool = False
    """The route has it: it does not come by ASGI any more."""


_PARSER = ThreadPoolExecutor(1, "hub-bodies")
"""One thread: each more that wants the interpreter lets the loop wait for one turn more."""


async def off_loop(work: Callable[..., T], *arguments: Any) -> T:
    """What ``work`` makes of a large body, without the loop standing still for it."""
    return await asyncio.get_running_loop().run_in_executor(_PARSER, work, *arguments)


async def body_of(request: Request) -> bytes | bytearray:
    """The whole body of ``request``. A copy of a large one takes as long as several frames of
    everybody's audio, so none is made; nobody may change it."""
    held = held_of(request)
    return await request.body() if held is None else held


def held_of(request: Request) -> bytearray | None:
    """The body of ``request`` where it was held and did not come by ASGI already."""
    held = request.scope.get("state", {}).get(HELD)
    if not isinstance(held, HeldBody) or not held.content:
        return None
    held.handed_out = True
    return held.content
