"""An engine that calls back after each step, read as an async iterator and left between two steps."""

import asyncio
import threading
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Left(Exception):
    """Nobody reads any more: raised in the engine's thread, out of its callback."""


class _End(NamedTuple):
    error: Exception | None


class Teller(Generic[T]):
    """What the engine's thread tells of; handed to its work by :func:`told`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._left = threading.Event()
        self.items: asyncio.Queue[T | _End] = asyncio.Queue()

    def __call__(self, item: T) -> None:
        """Tell of ``item``. Raises ``Left``, as ``check``."""
        self.check()
        self._put(item)

    def check(self) -> None:
        """Raises:
        Left: whoever asked for the work has gone.
        """
        if self._left.is_set():
            raise Left

    def is_left(self) -> bool:
        """Whether ``check`` would raise."""
        return self._left.is_set()

    def leave(self) -> None:
        """Nobody reads any more."""
        self._left.set()

    def end(self, error: Exception | None) -> None:
        """The work is over."""
        self._put(_End(error))

    def _put(self, item: Any) -> None:
        # A loop that is closed has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.items.put_nowait, item)


async def told(work: Callable[[Teller[T]], None]) -> AsyncGenerator[T, None]:
    """What ``work`` tells of, in order; it runs in a thread of its own, and says between its steps
    whether it may go on. Nothing bounds what is told but the work itself.

    Wrap it in ``aclosing``: when the reader closes it or is cancelled, the work ends where it next
    tells or checks. That is not waited for; an engine that must not be entered twice has a lock.

    Raises:
        Exception: what the work raised.
    """
    teller = Teller[T](asyncio.get_running_loop())
    threading.Thread(
        target=copy_context().run, args=(_do, work, teller), name="engine-calls", daemon=True
    ).start()
    try:
        while not isinstance(item := await teller.items.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        teller.leave()


def _do(work: Callable[[Teller[T]], None], teller: Teller[T]) -> None:
    try:
        work(teller)
    except Left as left:
        # The engine's frames hold what it had on its device.
        traceback.clear_frames(left.__traceback__)
        teller.end(None)
    except Exception as error:
        teller.end(error)
    else:
        teller.end(None)
