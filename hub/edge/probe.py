"""Asks a robot for its clock, again and again, for as long as its connection lasts."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from hub.counters import Counters
from hub.edge.clock import ClockFilter, Reading, Sampled
from protocols.messages.robot import Ping, Pong

FIRST_PINGS = 4
FIRST_EVERY_S = 0.25
EVERY_S = 2.0
_MAX_UNANSWERED = 16


class PingLink(Protocol):
    """What a probe needs of a robot's link."""

    clock: ClockFilter

    @property
    def flowing(self) -> bool:
        """Whether what is sent now leaves now."""

    def send(self, message: Ping, /) -> None: ...


class Probe:
    """The pings of one connection. ``measured`` is told of every new reading; ``now_ns`` is the
    hub's clock. A pong that answers none of our pings, or cannot be true, is counted."""

    def __init__(
        self,
        link: PingLink,
        counters: Counters,
        now_ns: Callable[[], int],
        measured: Callable[[Reading], None],
    ) -> None:
        self._link = link
        self._counters = counters
        self._now_ns = now_ns
        self._measured = measured
        self._unanswered: dict[int, None] = {}
        self._sent = 0
        self._timer: asyncio.TimerHandle | None = None

    def ping(self) -> None:
        """Send the next ping, and have the one after it sent."""
        pause_s = FIRST_EVERY_S if self._sent + 1 < FIRST_PINGS else EVERY_S
        self._timer = asyncio.get_running_loop().call_later(pause_s, self.ping)
        if not self._link.flowing:
            return  # it would measure how long it waits here
        self._sent += 1
        t0_ns = self._now_ns()
        self._unanswered[t0_ns] = None
        if len(self._unanswered) > _MAX_UNANSWERED:
            del self._unanswered[next(iter(self._unanswered))]
        self._link.send(Ping(t0_ns=t0_ns))

    def on_pong(self, pong: Pong) -> None:
        """Take an answer that has just come."""
        t3_ns = self._now_ns()
        if pong.t0_ns not in self._unanswered:
            self._counters.count("pongs.unknown")
            return
        del self._unanswered[pong.t0_ns]
        clock = self._link.clock
        sampled = clock.add(pong.t0_ns, pong.t1_ns, pong.t2_ns, t3_ns)
        if sampled in (Sampled.IMPOSSIBLE, Sampled.STEPPED):
            self._counters.count(f"pongs.{sampled}")
        if sampled in (Sampled.BEST, Sampled.STEPPED) and clock.reading is not None:
            self._measured(clock.reading)

    def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
