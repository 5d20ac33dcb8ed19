"""Histograms of the hub's own numbers: where the time of turns goes, how late its loop is.

Made for one thread, kept in constant memory, read whole when somebody asks.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.trace.entries import Entry, Fact
from protocols.messages.turn import TurnEnded

SEGMENT_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
MOST_KINDS = 16
"""Segments and outcomes are named by the hub's own code; more names than this are one: ``other``."""


class Histogram:
    """How many values lay at or below each bound."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.sum = 0.0
        self.worst = 0.0
        """The largest value since the start."""

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value
        self.worst = max(self.worst, value)

    @property
    def count(self) -> int:
        return sum(self._counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound and how many values it holds, cumulative, as Prometheus has them."""
        total, found = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found

    def quantile(self, share: float) -> float:
        """The bound below which ``share`` of all values lie; the largest value where it is above
        all bounds, 0 where there are none."""
        wanted, total = share * self.count, 0
        for bound, count in zip(self._bounds, self._counts, strict=False):
            total += count
            if total >= wanted:
                return bound if self.count else 0.0
        return self.worst


class Measures:
    """What the hub measures of itself."""

    def __init__(self) -> None:
        self.segments: dict[str, Histogram] = {}
        """Seconds of each segment of turns, by its name."""
        self.outcomes: dict[str, int] = {}
        """Turns that ended, by how."""
        self.lag = Histogram(LAG_BOUNDS_S)
        """Seconds that the hub's loop came late to what was due."""

    def take(self, entry: Entry) -> None:
        """An entry of the trace: turns end in it."""
        if isinstance(entry, Fact) and isinstance(entry.body, TurnEnded):
            outcome = _bounded(str(entry.body.outcome), self.outcomes)
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
            for segment in entry.body.segments:
                name = _bounded(segment.name, self.segments)
                histogram = self.segments.setdefault(name, Histogram(SEGMENT_BOUNDS_S))
                histogram.add(segment.ms / 1_000)


class Lateness(NamedTuple):
    """How late the hub's loop is, in milliseconds: of a hundred times all but one, and ever."""

    p99_ms: float = 0.0
    worst_ms: float = 0.0


def lateness(lag: Histogram) -> Lateness:
    """``lag`` in two numbers."""
    return Lateness(round(lag.quantile(0.99) * 1_000, 3), round(lag.worst * 1_000, 3))


def _bounded(name: str, known: Mapping[str, object]) -> str:
    return name if name in known or len(known) < MOST_KINDS else "other"
