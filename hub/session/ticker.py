"""One heartbeat for the speech of all robots: wake-ups are what pacing costs, not frames."""

import asyncio
from collections.abc import Callable
from typing import Protocol

PERIOD_NS = 5_000_000
_RESYNC_NS = 60_000_000
"""When the loop was held up for longer, the missed ticks are skipped, not made up for."""


LEAVE = -1
"""What ``tick`` says when there is nothing to look after until it is added again."""


class Ticking(Protocol):
    """Something the ticker looks after."""

    def tick(self) -> int:
        """Do what is due; return when to look again, in ns of the clock (0: at the next heartbeat),
        or ``LEAVE``."""


class Ticker:
    """Calls ``tick`` of everything whose time has come every 5 ms, and sleeps when nothing is
    active."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._active: dict[Ticking, int] = {}
        self._fresh: dict[Ticking, None] = {}
        self._due_ns = 0
        self._running = False

    def add(self, ticking: Ticking) -> None:
        """Look after ``ticking`` until its ``tick`` says ``LEAVE``. The first time is now, in the
        next step of the loop: what has just become due does not wait for the heartbeat."""
        if not self._fresh:
            asyncio.get_running_loop().call_soon(self._run_fresh)
        self._fresh[ticking] = None

    def _run_fresh(self) -> None:
        fresh, self._fresh = self._fresh, {}
        for ticking in fresh:
            self._look(ticking)
        if self._active and not self._running:
            self._running = True
            self._due_ns = self._clock() + PERIOD_NS
            asyncio.get_running_loop().call_later(PERIOD_NS / 1e9, self._run)

    def _run(self) -> None:
        now = self._clock()
        for ticking in [one for one, due_ns in self._active.items() if due_ns <= now]:
            self._look(ticking)
        if not self._active:
            self._running = False
            return
        now = self._clock()
        self._due_ns += PERIOD_NS
        if now - self._due_ns > _RESYNC_NS:
            self._due_ns = now
        wait_s = max(0, self._due_ns - now) / 1e9
        asyncio.get_running_loop().call_later(wait_s, self._run)

    def _look(self, ticking: Ticking) -> None:
        due_ns = ticking.tick()
        if due_ns == LEAVE:
            self._active.pop(ticking, None)
        else:
            self._active[ticking] = due_ns
