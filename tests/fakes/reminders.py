"""Reminders kept in memory, and robots that say them as a test wants."""

import asyncio

from hub.errors import StoreFailed
from hub.reminders.reminder import Reminder


class KeptReminders:
    """A ``hub.reminders.desk.Keeping``. ``fates`` are those that ended, by id; while ``full``,
    nothing can be written."""

    def __init__(self, *kept: Reminder) -> None:
        self.kept = {each.id: each for each in kept}
        self.fates: dict[str, str] = {}
        self.full = False

    async def load(self) -> tuple[Reminder, ...]:
        return tuple(self.kept.values())

    async def put(self, reminder: Reminder) -> None:
        self._check()
        self.kept[reminder.id] = reminder._replace(counts_until_s=None)

    async def end(self, reminder: Reminder, fate: str) -> None:
        self._check()
        self.kept.pop(reminder.id, None)
        self.fates[reminder.id] = fate

    def _check(self) -> None:
        if self.full:
            raise StoreFailed("the disk is full")


class Speakers:
    """A ``hub.reminders.desk.Speaking``: notes what is said. ``outcomes`` are how the next ones
    end; each takes ``takes_s``."""

    def __init__(self, *connected: str, takes_s: float = 1.0) -> None:
        self.here = list(connected)
        self.busy: set[str] = set()
        self.said: list[tuple[str, str]] = []
        self.outcomes: list[str] = []
        self.takes_s = takes_s

    def is_free(self, robot: str) -> bool:
        return robot in self.here and robot not in self.busy

    def connected(self) -> list[str]:
        return self.here

    async def remind(self, robot: str, text: str) -> str:
        self.said.append((robot, text))
        self.busy.add(robot)
        await asyncio.sleep(self.takes_s)
        self.busy.discard(robot)
        return self.outcomes.pop(0) if self.outcomes else "done"
