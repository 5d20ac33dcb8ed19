"""One heartbeat for the speech of all robots: wake-ups are what pacing costs, not frames."""

import asyncio
from collections.abc import Callable
from typing import Protocol

PERIOD_NS = 5_000_000
"""Heartbeats are so far apart. At one at which nothing is due nobody wakes."""
_MS = 1_000_000


LEAVE = -1
"""What ``tick`` says when there is nothing to look after until it is added again."""


class Ticking(Protocol):
    """Something the ticker looks after."""

    def tick(self, now_ns: int) -> int:
        """Do what is due by ``now_ns``; return when to look again, in ns of the clock (0: at the next
        heartbeat), or ``LEAVE``."""


class Ticker:
    """Calls ``tick`` of everything whose time has come, at the next heartbeat."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._active: dict[Ticking, int] = {}
        self._fresh: dict[Ticking, None] = {}
        self._beat_ns = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, ticking: Ticking) -> None:
        """Look after ``ticking`` until its ``tick`` says ``LEAVE``. The first time is now, in the
        next step of the loop: what has just become due does not wait for the heartbeat."""
        if not self._fresh:
            asyncio.get_running_loop().call_soon(self._run_fresh)
        self._fresh[ticking] = None

    def _run_fresh(self) -> None:
        fresh, self._fresh = self._fresh, {}
        self._look(list(fresh), self._clock())

    def _run(self) -> None:
        self._timer = None
        now = self._clock()
        self._look([one for one, due_ns in self._active.items() if due_ns <= now], now)

    def _look(self, due: list[Ticking], now_ns: int) -> None:
        active = self._active
        for ticking in due:
            due_ns = ticking.tick(now_ns)
            if due_ns != LEAVE:
                active[ticking] = due_ns
            else:
                active.pop(ticking, None)
        if active:
            self._wake_at(min(active.values()))

    def _wake_at(self, due_ns: int) -> None:
        """Be there at the first heartbeat after now at which something is due."""
        now = self._clock()
        beat_ns = -(-max(due_ns, now + 1) // PERIOD_NS) * PERIOD_NS
        if self._timer is not None:
            if self._beat_ns <= beat_ns:
                return
            self._timer.cancel()
        self._beat_ns = beat_ns
        # Loops count whole milliseconds: who wakes too early finds nothing and has to wake again.
        wait_s = -(-(beat_ns - now) // _MS) / 1000
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._run)
