"""Two devices with one robot id take the robot from each other, again and again.

After some takeovers within a minute the connection that has the robot keeps it; the others are
told how long to wait. A robot that comes back with its own session's token is no duelist, and is
not counted.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

MAX_TAKEOVERS = 3
WINDOW_S = 60.0


class Verdict(NamedTuple):
    """Whether a newcomer may take over. ``takeovers`` are the times that still count, with this
    one if it is granted; ``retry_after_s`` is 0 if it is, else whole seconds, rounded up."""

    takeovers: tuple[float, ...]
    retry_after_s: int = 0

    @property
    def granted(self) -> bool:
        return not self.retry_after_s


def decide(takeovers: Sequence[float], now_s: float) -> Verdict:
    """Decide on one more takeover at ``now_s`` of a robot that was taken over at ``takeovers``
    (oldest first, seconds of one monotonic clock)."""
    recent = tuple(at for at in takeovers if now_s - at < WINDOW_S)
    if len(recent) < MAX_TAKEOVERS:
        return Verdict((*recent, now_s))
    return Verdict(recent, max(1, math.ceil(recent[-MAX_TAKEOVERS] + WINDOW_S - now_s)))
