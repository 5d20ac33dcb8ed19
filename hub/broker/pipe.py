"""One direction of one lane between two peers of a process, in order and never re-entrant."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

Frames = tuple[bytes, bytes, bytes]

_SLACK_S = 1e-6
"""Loops fire timers up to their clock's resolution early."""


class _InTransit(NamedTuple):
    due: float
    frames: Frames


class Pipe:
    """Delivers frames on the loop after their delay; a delayed frame holds back those behind it.

    ``drained`` is called after every batch.
    """

    def __init__(self, deliver: Callable[[Frames], None], drained: Callable[[], None]) -> None:
        self._deliver = deliver
        self._drained = drained
        self._queue: deque[_InTransit] = deque()
        self._handle: asyncio.Handle | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def push(self, frames: Frames, delay_s: float = 0.0) -> None:
        """Send ``frames``; they arrive ``delay_s`` from now, but not before those sent earlier."""
        due = asyncio.get_running_loop().time() + delay_s
        if self._queue:
            due = max(due, self._queue[-1].due)
        self._queue.append(_InTransit(due, frames))
        if self._handle is None:
            self._schedule()

    def clear(self) -> None:
        """Lose everything in transit."""
        self._queue.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        due = self._queue[0].due
        if due <= loop.time() + _SLACK_S:
            self._handle = loop.call_soon(self._pump)
        else:
            self._handle = loop.call_at(due, self._pump)

    def _pump(self) -> None:
        now = asyncio.get_running_loop().time() + _SLACK_S
        batch = len(self._queue)
        try:
            while batch and self._queue and self._queue[0].due <= now:
                batch -= 1
                self._deliver(self._queue.popleft().frames)
        finally:
            self._handle = None
            if self._queue:
                self._schedule()
        self._drained()
