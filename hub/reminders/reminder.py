"""A timer or a reminder, and what is to be done about it at a moment: pure.

What was set for a time on the clock follows the wall clock, wherever it jumps; what was set for so
many seconds follows a clock that never jumps, by ``counts_until_s``. A run of the hub that ends
takes that clock with it: the next one counts on from what the wall clock says has passed, and
never from more than was set.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

MOST = 50
"""Timers and reminders of one robot."""
MOST_IN_ALL = 10_000
"""Of all robots together."""
MAX_TEXT_CHARS = 200
LATE_S = 90.0
"""From when on it is said that it is late."""
DROPPED_S = {"timer": 3_600.0, "reminder": 12 * 3_600.0}
"""How late it may still be said."""


class Now(NamedTuple):
    """A moment: seconds since 1970, and seconds of a clock that never jumps."""

    wall_s: float
    steady_s: float


class Reminder(NamedTuple):
    """``kind`` is "timer" or "reminder", ``text`` what it is for, ``due_s`` and ``set_s`` are by
    the wall clock. ``seconds`` is how long it was set for, 0 if for a time on the clock. One that
    is ``begun`` was about to be said, and is not said again by another run of the hub."""

    id: str
    robot: str
    kind: str
    text: str
    due_s: float
    set_s: float
    seconds: float = 0.0
    begun: bool = False
    counts_until_s: float | None = None

    def late_s(self, now: Now) -> float:
        """How late it is; below 0 while it is not due."""
        if self.counts_until_s is not None:
            return now.steady_s - self.counts_until_s
        return now.wall_s - self.due_s

    def wall_due_s(self, now: Now) -> int:
        """When it is due by the wall clock of ``now``, to the second."""
        return round(now.wall_s - self.late_s(now))

    def counting(self, now: Now) -> "Reminder":
        """The same, taken up by a run of the hub at ``now``."""
        if not self.seconds:
            return self
        return self._replace(
            counts_until_s=now.steady_s + min(self.seconds, self.due_s - now.wall_s)
        )


class Verdict(StrEnum):
    """What is to be done about a reminder."""

    WAIT = "wait"
    SAY = "say"
    SAY_LATE = "say_late"
    DROP = "drop"


def verdict(reminder: Reminder, now: Now) -> Verdict:
    """What is to be done about ``reminder`` at ``now``."""
    late_s = reminder.late_s(now)
    if late_s < 0:
        return Verdict.WAIT
    if late_s > DROPPED_S[reminder.kind]:
        return Verdict.DROP
    return Verdict.SAY_LATE if late_s > LATE_S else Verdict.SAY


def due(reminders: Iterable[Reminder], now: Now) -> list[Reminder]:
    """Those about which something is to be done, the longest due first."""
    found = [each for each in reminders if verdict(each, now) is not Verdict.WAIT]
    return sorted(found, key=lambda each: (-each.late_s(now), each.id))


def wait_s(reminders: Iterable[Reminder], now: Now, most_s: float) -> float:
    """How long nothing falls due, ``most_s`` at most: the wall clock may jump meanwhile."""
    ahead = [-each.late_s(now) for each in reminders if each.late_s(now) < 0]
    return min([most_s, *ahead])
