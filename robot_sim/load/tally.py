"""What a fleet has seen: counts, times, and the rules of the wire that were broken."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_BREACHES_KEPT = 100


class Breach(NamedTuple):
    """Something that must never reach a robot, and did. ``rule`` is ``fenced``, ``foreign``,
    ``order`` or ``ahead``."""

    rule: str
    robot: str
    detail: str


class Spread(NamedTuple):
    """How a series of times is distributed, in milliseconds."""

    samples: int
    p50: float
    p95: float
    p99: float
    max: float


def spread(samples_ms: Sequence[float]) -> Spread:
    """The nearest samples at each quantile; zeros if there are none."""
    if not samples_ms:
        return Spread(0, 0.0, 0.0, 0.0, 0.0)
    ordered = sorted(samples_ms)
    last = len(ordered) - 1
    return Spread(len(ordered), *(ordered[round(last * q)] for q in (0.5, 0.95, 0.99, 1.0)))


@dataclass
class Tally:
    """Of all robots of a fleet together.

    ``counts``: ``asked``, ``answered``, ``barges``, ``cancels``, ``gave_up``, ``reconnects``,
    ``underruns``, ``frames``, arrivals that were not simply played (``frames.late`` …).
    ``outcomes`` are ends of turns as ``outcome`` or ``outcome:code``. ``times_ms`` holds series by
    name; the segments of the waterfall are ``segment.NAME``.
    """

    counts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    times_ms: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    breaches: list[Breach] = field(default_factory=list)

    def clear(self) -> None:
        """Forget everything."""
        for part in (self.counts, self.outcomes, self.closes, self.times_ms, self.breaches):
            part.clear()

    def took(self, name: str, ns: int) -> None:
        """Add a time to the series ``name``."""
        self.times_ms[name].append(ns / 1e6)

    def breach(self, rule: str, robot: str, detail: str) -> None:
        """A rule was broken; the first ones are kept, all are counted."""
        self.counts[f"breach.{rule}"] += 1
        if len(self.breaches) < _BREACHES_KEPT:
            self.breaches.append(Breach(rule, robot, detail))
