"""When a process that ended is started again: the whole policy, as a function of its past.

An exit is answered by a restart after a pause that doubles with every recent one. A process that
ends six times within a minute is *degraded*: it is tried once a minute, and counts as well again
when a try has lasted a minute. Exit code 2 means that trying again cannot help (a setting is
wrong, an engine is missing).
"""

from collections.abc import Sequence
from typing import NamedTuple

MAX_RESTARTS = 5
WINDOW_S = 60.0
RETRY_S = 60.0
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0

MISCONFIGURED = 2
"""Exit code of a process that cannot work as it is configured, and has said so in a sentence."""


class Run(NamedTuple):
    """One life of a process. ``code`` is its exit status, negative for a signal; ``on_trial`` says
    that it was started while degraded. Times are seconds on one monotonic clock."""

    started_s: float
    ended_s: float
    code: int
    on_trial: bool = False


class Restart(NamedTuple):
    """Start it again at ``at_s``."""

    at_s: float


class Degraded(NamedTuple):
    """It cannot be kept running. Try again at ``retry_at_s``, or never if that is None."""

    retry_at_s: float | None


Verdict = Restart | Degraded


def after(history: Sequence[Run], now_s: float) -> Verdict:
    """What to do about the last run of ``history``, which has just ended at ``now_s``."""
    last = history[-1]
    if last.code == MISCONFIGURED:
        return Degraded(retry_at_s=None)
    recent = len(within_window(history, now_s))
    failed_trial = last.on_trial and last.ended_s - last.started_s < WINDOW_S
    if failed_trial or recent > MAX_RESTARTS:
        return Degraded(retry_at_s=now_s + RETRY_S)
    pause_s = FIRST_PAUSE_S * 2 ** (recent - 1) if recent else FIRST_PAUSE_S
    return Restart(at_s=now_s + min(pause_s, LONGEST_PAUSE_S))


def within_window(history: Sequence[Run], now_s: float) -> tuple[Run, ...]:
    """The runs that still count, newest last; older ones may be forgotten."""
    return tuple(run for run in history if now_s - run.ended_s <= WINDOW_S)
