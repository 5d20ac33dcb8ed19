"""Timers and reminders on the disk."""

import sqlite3

from hub.reminders.reminder import Reminder
from hub.store.sqlite import SqliteStore, add_audit, wall_clock

_COLUMNS = "id, robot, kind, text, due_s, set_s, seconds, begun"


class StoredReminders:
    """A ``hub.reminders.desk.Keeping`` in ``hub.db``."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def load(self) -> tuple[Reminder, ...]:
        """See ``Keeping``; raises ``StoreFailed``, as all here."""
        rows = await self._store.read(
            lambda db: db.execute(f"SELECT {_COLUMNS} FROM reminders ORDER BY due_s, id").fetchall()
        )
        return tuple(Reminder(*row[:7])._replace(begun=bool(row[7])) for row in rows)

    async def put(self, reminder: Reminder) -> None:
        """See ``Keeping``."""
        row = reminder[:8]
        await self._store.write(
            lambda db: db.execute(
                f"INSERT OR REPLACE INTO reminders ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        )

    async def end(self, reminder: Reminder, fate: str) -> None:
        """See ``Keeping``."""

        def change(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM reminders WHERE id = ?", (reminder.id,))
            add_audit(db, wall_clock(), f"reminder.{fate}", f"{reminder.id} of {reminder.robot}")

        await self._store.write(change)
