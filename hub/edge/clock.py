"""How far a robot's clock is from the hub's, and how sure that is. Pure.

Four timestamps (RFC 5905 §8): the hub sends at t0, the robot receives at t1 and answers at t2 by its
own clock, the hub receives at t3. Neither way takes less than no time, so at t3 the offset
(robot − hub) lies between t2 − t3 and t1 − t0, however unequal the two ways were; the clocks drift
apart by at most ``DRIFT_PPM`` while that interval ages.
"""

from collections import deque
from enum import StrEnum
from typing import NamedTuple

KEPT = 16
DRIFT_PPM = 200
"""Two crystals of 100 ppm each, one fast and one slow."""


class Reading(NamedTuple):
    """At ``at_ns`` of the hub's clock the robot's was ``offset_ns`` ahead, ± ``error_ns``."""

    offset_ns: int
    error_ns: int
    rtt_ns: int
    at_ns: int

    def error_at(self, now_ns: int) -> int:
        """The bound at a later time."""
        return self.error_ns + _drift(max(0, now_ns - self.at_ns))

    def robot_time(self, hub_ns: int) -> int:
        """What the robot's clock shows when the hub's shows ``hub_ns``."""
        return hub_ns + self.offset_ns

    def hub_time(self, robot_ns: int) -> int:
        """What the hub's clock shows when the robot's shows ``robot_ns``."""
        return robot_ns - self.offset_ns


class Sampled(StrEnum):
    """What became of a sample."""

    KEPT = "kept"
    BEST = "best"
    """It changed the reading."""
    STEPPED = "stepped"
    """It contradicts what was known: a clock has jumped. All older samples are forgotten."""
    IMPOSSIBLE = "impossible"
    """No two clocks that run can show these times."""


class ClockFilter:
    """Keeps the last samples of one connection; the one with the shortest round trip counts."""

    def __init__(self) -> None:
        self._samples: deque[Reading] = deque(maxlen=KEPT)
        self.reading: Reading | None = None

    def add(self, t0: int, t1: int, t2: int, t3: int) -> Sampled:
        """Take the four times of a ping, nanoseconds."""
        away, inside = t3 - t0, t2 - t1
        error = (away - inside + 2 * _drift(max(0, away)) + 1) // 2
        if away < 0 or inside < 0 or error < 0:
            return Sampled.IMPOSSIBLE
        sample = Reading((t1 - t0 + t2 - t3) // 2, error, max(0, away - inside), t3)
        known = self.reading
        stepped = known is not None and abs(sample.offset_ns - known.offset_ns) > (
            sample.error_ns + known.error_at(t3) + 1
        )
        if stepped:
            self._samples.clear()
        self._samples.append(sample)
        self.reading = min(reversed(self._samples), key=lambda kept: kept.rtt_ns)
        if stepped:
            return Sampled.STEPPED
        return Sampled.KEPT if self.reading == known else Sampled.BEST


def _drift(span_ns: int) -> int:
    return -(-span_ns * DRIFT_PPM // 1_000_000)
