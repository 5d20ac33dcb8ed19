"""Blocking engines off the loop: a generator in a thread, read as an async iterator."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing, suppress
from contextvars import copy_context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


Steps = Callable[[], Generator[T, None, None]]


async def iterate(steps: Steps[T], *, ahead: int = 4) -> AsyncGenerator[T, None]:
    """The items of ``steps()``, which runs in a thread of its own, at most ``ahead`` in advance.

    Wrap it in ``aclosing``: when the reader closes it or is cancelled, the thread ends before its
    next step and closes the generator there, so its ``finally`` runs on the engine's thread. The
    step that is under way is not waited for; an engine that must not be entered twice has a lock.

    Raises:
        Exception: what the generator raised, where its next item would have been.
    """
    hand_over = _HandOver[T](asyncio.get_running_loop(), ahead)
    # Not from a pool: a pool has a size, and streams that wait for credit would use it up.
    thread = threading.Thread(
        target=copy_context().run,
        args=(hand_over.produce, steps),
        name="blocking-engine",
        daemon=True,
    )
    thread.start()
    try:
        while await hand_over.has_next():
            yield hand_over.take()
    finally:
        hand_over.abandon()


class _HandOver(Generic[T]):
    """Between one thread that produces and one coroutine that reads.

    Items, end and error are touched on the loop only; the thread sees ``_room`` and ``_abandoned``.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ahead: int) -> None:
        self._loop = loop
        self._room = threading.Semaphore(ahead)
        self._abandoned = threading.Event()
        self._items: deque[T] = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None

    def produce(self, steps: Steps[T]) -> None:
        """Body of the thread."""
        error: Exception | None = None
        try:
            with closing(steps()) as items:
                self._step_through(items)
        except Exception as raised:
            error = raised
        self._tell(self._end, error)

    def _step_through(self, items: Generator[T, None, None]) -> None:
        while True:
            self._room.acquire()
            if self._abandoned.is_set():
                return
            try:
                item = next(items)
            except StopIteration:
                return
            self._tell(self._put, item)

    def _tell(self, what: Callable[..., None], *args: Any) -> None:
        # A loop that is closed has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *args)

    def _put(self, item: T) -> None:
        self._items.append(item)
        self._changed.set()

    def _end(self, error: Exception | None) -> None:
        self._ended, self._error = True, error
        self._changed.set()

    async def has_next(self) -> bool:
        """Wait for an item; False at the end. Raises what the generator raised."""
        while not self._items:
            if self._error is not None:
                raise self._error
            if self._ended:
                return False
            self._changed.clear()
            await self._changed.wait()
        return True

    def take(self) -> T:
        """The next item; makes room for another one."""
        self._room.release()
        return self._items.popleft()

    def abandon(self) -> None:
        """Let the thread end before its next step."""
        self._abandoned.set()
        self._room.release()
