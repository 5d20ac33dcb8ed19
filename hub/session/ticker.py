"""One heartbeat for the speech of all robots: wake-ups are what pacing costs, not frames."""

import asyncio
from collections.abc import Callable
from typing import Protocol

PERIOD_NS = 5_000_000
_RESYNC_NS = 60_000_000
"""When the loop was held up for longer, the missed ticks are skipped, not made up for."""


class Ticking(Protocol):
    """Something the ticker looks after."""

    def tick(self) -> bool:
        """Do what is due; False to be left alone until added again."""


class Ticker:
    """Calls ``tick`` of everything active every 5 ms, and sleeps when nothing is."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._active: dict[Ticking, None] = {}
        self._fresh: dict[Ticking, None] = {}
        self._due_ns = 0
        self._running = False

    def add(self, ticking: Ticking) -> None:
        """Look after ``ticking`` until its ``tick`` returns False. The first time is now, in the
        next step of the loop: what has just become due does not wait for the heartbeat."""
        if not self._fresh:
            asyncio.get_running_loop().call_soon(self._run_fresh)
        self._fresh[ticking] = None

    def _run_fresh(self) -> None:
        fresh, self._fresh = self._fresh, {}
        for ticking in fresh:
            if ticking.tick():
                self._active[ticking] = None
            else:
                self._active.pop(ticking, None)
        if self._active and not self._running:
            self._running = True
            self._due_ns = self._clock() + PERIOD_NS
            asyncio.get_running_loop().call_later(PERIOD_NS / 1e9, self._run)

    def _run(self) -> None:
        for ticking in tuple(self._active):
            if not ticking.tick():
                self._active.pop(ticking, None)
        if not self._active:
            self._running = False
            return
        now = self._clock()
        self._due_ns += PERIOD_NS
        if now - self._due_ns > _RESYNC_NS:
            self._due_ns = now
        wait_s = max(0, self._due_ns - now) / 1e9
        asyncio.get_running_loop().call_later(wait_s, self._run)
