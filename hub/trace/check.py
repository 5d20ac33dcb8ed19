"""Checks a whole trace: the same invariants as the live monitor, over what was recorded."""

from collections.abc import Iterable
from typing import NamedTuple

from hub.trace.entries import Entry, Fact, Lost, Opened, Started, Stopped
from hub.trace.monitor import Monitor, Violation
from protocols.messages.turn import TurnStarted


class Verdict(NamedTuple):
    """What a trace was found to be. ``holes`` counts places where entries are missing,
    ``longest_hole`` how many were missing at most in one."""

    violation: Violation | None
    entries: int
    turns: int
    robots: int
    boots: int
    holes: int
    longest_hole: int
    complete: bool
    """The hub ended in order at its end."""

    @property
    def summary(self) -> str:
        """One line for people."""
        counted = {
            "entry": self.entries, "turn": self.turns, "robot": self.robots, "run": self.boots,
        }  # fmt: skip
        parts = [_count(number, noun) for noun, number in counted.items()]
        if self.holes:
            longest = _count(self.longest_hole, "entry")
            parts.append(f"{_count(self.holes, 'hole')}, the longest of {longest}")
        else:
            parts.append("no hole")
        if not self.complete:
            parts.append("cut short")
        return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def examine(entries: Iterable[Entry]) -> Verdict:
    """Read a trace to its end or to its first violation.

    Entries of several runs of one hub may follow one another, each run beginning with
    ``hub.started``. Where entries are missing nothing that they might have said counts as broken.
    """
    monitor = Monitor()
    count = turns = boots = holes = longest = last = 0
    robots: set[str] = set()
    complete = False
    for entry in entries:
        missing = _missing(entry, last)
        last, count = entry.n, count + 1
        if missing:
            holes, longest = holes + 1, max(longest, missing)
            monitor.hole()
        monitor.take(entry)
        turns += isinstance(entry, Fact) and isinstance(entry.body, TurnStarted)
        boots += isinstance(entry, Started)
        complete = isinstance(entry, Stopped)
        if isinstance(entry, Opened):
            robots.add(entry.robot)
        if monitor.violations:
            break
    else:
        monitor.finish()
    violation = next(iter(monitor.violations), None)
    return Verdict(violation, count, turns, len(robots), boots, holes, longest, complete)


def check(entries: Iterable[Entry]) -> Violation | None:
    """The first violation of a trace, if there is one; see ``examine``."""
    return examine(entries).violation


def _missing(entry: Entry, last: int) -> int:
    """How many entries are missing before this one."""
    if isinstance(entry, Started):
        return 0
    if isinstance(entry, Lost):
        return entry.count
    return max(entry.n - last - 1, 0) or int(entry.n <= last)
