"""What is each robot's own: its profile and its reminders, kept for as long as the hub runs."""

import asyncio
import time
from pathlib import Path

from hub.counters import Counters
from hub.reminders.desk import ReminderDesk
from hub.robots.folder import FOLDER, ProfileFolder
from hub.session.manager import SessionManager
from hub.store.reminders import StoredReminders
from hub.store.sqlite import SqliteStore, wall_clock, wall_time
from protocols.bus import HubBus
from protocols.envelope import Envelope
from protocols.identity import ROBOT_ID
from protocols.messages.session import ProfileChanged


class Personal:
    """See the module."""

    def __init__(self, data_dir: Path, store: SqliteStore, bus: HubBus, counters: Counters) -> None:
        self._bus = bus
        self.profiles = ProfileFolder(data_dir / FOLDER, wall_time, counters, self._changed)
        kept = StoredReminders(store)
        self.reminders = ReminderDesk(
            kept, wall_clock, lambda robot: self.profiles.of(robot).zone, counters
        )

    async def keep(self, sessions: SessionManager) -> None:
        """Take up what changes, and have said what falls due.

        Raises:
            StoreFailed: the reminders cannot be read.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.profiles.keep(sessions.characterise))
            tasks.create_task(self.reminders.keep(sessions))

    def _changed(self, robot: str) -> None:
        """Tell observers who a robot is now, or what is wrong with its file."""
        who, error = self.profiles.of(robot), self.profiles.errors.get(robot, "")
        if ROBOT_ID.fullmatch(robot):
            told = ProfileChanged(
                name=who.name, language=who.language, voice=who.voice, error=error
            )
            self._bus.publish(Envelope(robot=robot, t_src_ns=time.monotonic_ns(), body=told))
