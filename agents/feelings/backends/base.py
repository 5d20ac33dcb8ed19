"""What feelings ask of the place that keeps how long was talked today."""

from collections import Counter
from typing import Protocol

from agents.runtime.service import Backend

BOOKS = {
    "file": "agents.feelings.backends.file:FileBook",
    "scripted": "agents.feelings.backends.scripted:ScriptedBook",
}
"""Books by the name that settings call them."""


class DayBook(Backend, Protocol):
    """How long somebody has talked with each robot on the day that was noted last. It outlives the
    process, as far as the disk lets it."""

    counters: Counter[str]
    """What was lost, by the reason."""

    def spent_s(self, robot: str, day: int) -> float:
        """Seconds of ``day``; 0 if it is another day than the one that was noted."""

    def note(self, robot: str, day: int, spent_s: float) -> None:
        """So long it is by now. Never blocks; a write that fails is counted and tried again."""
