"""A body that was read whole before its route began, and how the route gets at it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

from hub.edge.bulk import Piece, joined, put_behind
from hub.edge.limits import PARSED_IN_PLACE_BYTES

T = TypeVar("T")

HELD = "robot_hub.body"
"""Where it stands in its request's state."""


@dataclass(slots=True)
class HeldBody:
    """One body, in the pieces that it came in: to lay them together would take the loop as long as
    several frames of everybody's audio."""

    pieces: list[Piece] = field(default_factory=list)
    size: int = 0
    """In bytes: what it holds of the memory for all bodies until its request is over."""
    handed_out: bool = False
    """The route has it: it does not come by ASGI any more."""

    def add(self, piece: bytes) -> None:
        """What came next."""
        self.size += len(piece)
        put_behind(self.pieces, piece)

    async def whole(self) -> Piece:
        """All of it in one; nobody may change it."""
        if len(self.pieces) != 1:
            small = self.size <= PARSED_IN_PLACE_BYTES
            whole = joined(self.pieces) if small else await off_loop(joined, self.pieces)
            self.pieces = [whole]
        return self.pieces[0]


_PARSER = ThreadPoolExecutor(1, "hub-bodies")
"""One thread: each more that wants the interpreter lets the loop wait for one turn more."""


async def off_loop(work: Callable[..., T], *arguments: Any) -> T:
    """What ``work`` makes of a large body, without the loop standing still for it."""
    return await asyncio.get_running_loop().run_in_executor(_PARSER, work, *arguments)


async def body_of(request: Request) -> Piece:
    """The whole body of ``request``; nobody may change it."""
    held = held_of(request)
    return await request.body() if held is None else await held.whole()


def held_of(request: Request) -> HeldBody | None:
    """The body of ``request`` where it was held and did not come by ASGI already."""
    held = request.scope.get("state", {}).get(HELD)
    if not isinstance(held, HeldBody) or not held.pieces:
        return None
    held.handed_out = True
    return held
