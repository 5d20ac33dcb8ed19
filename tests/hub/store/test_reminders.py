"""Timers and reminders on the disk."""

from pathlib import Path

from hub.reminders.reminder import Reminder
from hub.store.reminders import StoredReminders
from hub.store.sqlite import SqliteStore

FIRST = Reminder("a", "r1", "timer", "bake", 2_000.0, 1_700.0, 300.0)
SECOND = Reminder("b", "r2", "reminder", "feed the cat", 1_000.0, 500.0)


async def opened(tmp_path: Path) -> SqliteStore:
    store = SqliteStore(tmp_path)
    await store.open()
    return store


async def test_what_is_set_is_there_after_the_hub_was_killed(tmp_path: Path) -> None:
    killed = await opened(tmp_path)  # and never closed
    kept = StoredReminders(killed)
    await kept.put(FIRST._replace(counts_until_s=42.0))
    await kept.put(SECOND)
    await kept.put(SECOND._replace(begun=True))
    after = await opened(tmp_path)
    assert await StoredReminders(after).load() == (SECOND._replace(begun=True), FIRST)
    await after.close()
    await killed.close()


async def test_one_that_has_ended_leaves_its_fate_in_the_audit_and_no_words(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    kept = StoredReminders(store)
    await kept.put(FIRST)
    await kept.end(FIRST, "said")
    assert await kept.load() == ()
    assert [(e.event, e.detail) for e in await store.read_audit()] == [("reminder.said", "a of r1")]
    await store.close()
    assert b"bake" not in (tmp_path / "hub.db").read_bytes()
