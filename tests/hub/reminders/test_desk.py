"""Timers and reminders from the wish to the voice, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.errors import StoreFailed
from hub.reminders.desk import LOOK_EVERY_S, TRIES, NeverDue, ReminderDesk, TooManyReminders
from hub.reminders.reminder import MOST, Reminder
from hub.reminders.wish import After, Ask, At, Cancel, Set
from tests.fakes.reminders import KeptReminders, Speakers
from tests.virtual_time import until, virtual

MIDNIGHT = 1_800_000_000.0 // 86_400 * 86_400


class Wall:
    """A clock on the wall, which may be set."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return MIDNIGHT + self.ahead_s + asyncio.get_running_loop().time()


class SlowDisk(KeptReminders):
    """Takes a second to forget one."""

    async def end(self, reminder: Reminder, fate: str) -> None:
        await asyncio.sleep(1.0)
        await super().end(reminder, fate)


@asynccontextmanager
async def kept_by(
    keeping: KeptReminders, speakers: Speakers, wall: Wall | None = None
) -> AsyncIterator[ReminderDesk]:
    """A desk that has read what is kept, and keeps on."""
    desk = ReminderDesk(keeping, wall or Wall())
    async with asyncio.TaskGroup() as tasks:
        keeper = tasks.create_task(desk.keep(speakers))
        await asyncio.sleep(0)
        yield desk
        keeper.cancel()


def elapsed() -> float:
    return asyncio.get_running_loop().time()


@virtual
async def test_a_timer_goes_off_on_its_second_and_only_once() -> None:
    keeping, speakers = KeptReminders(), Speakers("r1")
    async with kept_by(keeping, speakers) as desk:
        begun = elapsed()
        said = await desk.answer("r1", Set("timer", After(300), ""), 1)
        assert said == "Your timer is running: five minutes."
        await until(lambda: bool(speakers.said), within_s=400)
        assert elapsed() - begun == pytest.approx(300, abs=0.01)
        await asyncio.sleep(600)
    assert speakers.said == [("r1", "Time is up! Your timer for five minutes is over.")]
    assert list(keeping.fates.values()) == ["said"]
    assert keeping.kept == {}


@virtual
async def test_a_reminder_waits_for_a_robot_that_is_busy_or_away() -> None:
    keeping, speakers = KeptReminders(), Speakers()
    async with kept_by(keeping, speakers) as desk:
        await desk.add("r1", After(10), "feed the cat")
        await asyncio.sleep(30)
        speakers.here.append("r1")
        speakers.busy.add("r1")
        await asyncio.sleep(30)
        assert speakers.said == []
        speakers.busy.clear()
        await until(lambda: bool(speakers.said))
    assert speakers.said == [("r1", "I was to remind you: feed the cat.")]


@virtual
async def test_what_is_late_is_said_with_a_word_that_it_is() -> None:
    keeping, speakers = KeptReminders(), Speakers()
    async with kept_by(keeping, speakers) as desk:
        await desk.add("r1", After(10), "feed the cat")
        await asyncio.sleep(600)
        speakers.here.append("r1")
        await until(lambda: bool(keeping.fates))
    assert speakers.said[0][1].startswith("I am late with this, it was for ")
    assert list(keeping.fates.values()) == ["late"]


@virtual
async def test_what_is_too_late_is_dropped_and_its_fate_is_known() -> None:
    old = Reminder("a", "r1", "reminder", "feed the cat", MIDNIGHT - 86_400, 0.0)
    keeping, speakers = KeptReminders(old), Speakers("r1")
    async with kept_by(keeping, speakers) as desk:
        await until(lambda: bool(keeping.fates))
        assert [(e.reminder.id, e.fate) for e in desk.ended("r1")] == [("a", "missed")]
    assert speakers.said == []


@virtual
async def test_what_fell_due_while_the_hub_was_down_is_said_late() -> None:
    due = MIDNIGHT + elapsed() - 600
    keeping = KeptReminders(Reminder("a", "r1", "timer", "", due, due - 60, 60.0))
    speakers = Speakers("r1")
    async with kept_by(keeping, speakers):
        await until(lambda: bool(speakers.said))
    assert speakers.said == [("r1", "Your timer for one minute is over, and I am late to say so.")]


@virtual
async def test_what_was_about_to_be_said_when_the_hub_was_killed_is_not_said_again() -> None:
    due = MIDNIGHT + elapsed() - 5
    keeping = KeptReminders(Reminder("a", "r1", "reminder", "x", due, due - 60, begun=True))
    speakers = Speakers("r1")
    async with kept_by(keeping, speakers):
        await asyncio.sleep(60)
    assert speakers.said == []
    assert keeping.fates == {"a": "said"}


@virtual
async def test_it_is_on_the_disk_that_a_reminder_is_said_before_a_word_of_it_is() -> None:
    keeping, speakers = KeptReminders(), Speakers("r1", takes_s=5.0)
    async with kept_by(keeping, speakers) as desk:
        made = await desk.add("r1", After(10))
        assert not keeping.kept[made.id].begun
        await until(lambda: bool(speakers.said))
        assert keeping.kept[made.id].begun


@pytest.mark.parametrize("outcome", ["superseded", "busy_with_plan", "user_speaking", "failed"])
@virtual
async def test_what_was_not_heard_is_said_again(outcome: str) -> None:
    keeping, speakers = KeptReminders(), Speakers("r1")
    speakers.outcomes = [outcome]
    async with kept_by(keeping, speakers) as desk:
        await desk.add("r1", After(10), "feed the cat")
        await until(lambda: bool(keeping.fates))
    assert len(speakers.said) == 2
    assert list(keeping.fates.values()) == ["said"]


@virtual
async def test_a_robot_that_says_no_at_once_is_asked_again_at_the_next_look_and_not_before() -> (
    None
):
    keeping, speakers = KeptReminders(), Speakers("r1", takes_s=0.0)
    speakers.outcomes = ["user_speaking"] * 3
    async with kept_by(keeping, speakers) as desk:
        begun = elapsed()
        await desk.add("r1", After(10), "feed the cat")
        await until(lambda: bool(keeping.fates))
        assert elapsed() - begun == pytest.approx(10 + 3 * LOOK_EVERY_S, abs=0.1)


@virtual
async def test_what_is_being_deleted_when_it_falls_due_is_not_said_and_has_one_fate() -> None:
    keeping, speakers = SlowDisk(), Speakers("r1")
    async with kept_by(keeping, speakers) as desk:
        made = await desk.add("r1", After(10), "feed the cat")
        await asyncio.sleep(9.5)
        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(desk.remove("r1", made.id)) for _ in range(2)]
        assert [each.result() for each in both] == [True, False]
        await asyncio.sleep(5)
        assert [each.fate for each in desk.ended("r1")] == ["deleted"]
    assert speakers.said == []
    assert keeping.kept == {}


@pytest.mark.parametrize("outcome", ["interrupted", "cancelled"])
@virtual
async def test_what_its_user_cut_short_is_not_said_again(outcome: str) -> None:
    keeping, speakers = KeptReminders(), Speakers("r1")
    speakers.outcomes = [outcome]
    async with kept_by(keeping, speakers) as desk:
        await desk.add("r1", After(10), "feed the cat")
        await until(lambda: bool(keeping.fates))
        await asyncio.sleep(60)
    assert len(speakers.said) == 1


@virtual
async def test_a_voice_that_always_fails_is_given_up() -> None:
    keeping, speakers = KeptReminders(), Speakers("r1")
    speakers.outcomes = ["failed"] * (TRIES + 1)
    async with kept_by(keeping, speakers) as desk:
        await desk.add("r1", After(10))
        await until(lambda: bool(keeping.fates))
    assert len(speakers.said) == TRIES
    assert list(keeping.fates.values()) == ["failed"]


@virtual
async def test_a_robot_says_one_after_the_other_and_robots_do_not_wait_for_each_other() -> None:
    keeping, speakers = KeptReminders(), Speakers("r1", "r2", takes_s=5.0)
    async with kept_by(keeping, speakers) as desk:
        for robot in ("r1", "r1", "r2"):
            await desk.add(robot, After(10))
        await until(lambda: bool(speakers.said))
        assert sorted(robot for robot, _ in speakers.said) == ["r1", "r2"]
        await until(lambda: len(keeping.fates) == 3)
    assert len(speakers.said) == 3


@virtual
async def test_a_wall_clock_that_jumps_ahead_takes_reminders_with_it_and_no_timers() -> None:
    keeping, speakers, wall = KeptReminders(), Speakers("r1"), Wall()
    async with kept_by(keeping, speakers, wall) as desk:
        await desk.add("r1", wall() + 3_600, "feed the cat")
        await desk.answer("r1", Set("timer", After(600), ""), 1)
        wall.ahead_s = 3_601.0
        await until(lambda: bool(speakers.said))
        await asyncio.sleep(30)
        assert speakers.said == [("r1", "I was to remind you: feed the cat.")]
        await until(lambda: len(speakers.said) == 2, within_s=700)
        assert speakers.said[1][1].startswith("Time is up!")


@virtual
async def test_a_wall_clock_that_is_set_back_says_nothing_twice() -> None:
    keeping, speakers, wall = KeptReminders(), Speakers("r1"), Wall()
    async with kept_by(keeping, speakers, wall) as desk:
        await desk.add("r1", wall() + 10, "feed the cat")
        await until(lambda: bool(keeping.fates))
        wall.ahead_s = -3_600.0
        await asyncio.sleep(3_000)
    assert len(speakers.said) == 1


@virtual
async def test_a_full_disk_sets_nothing_but_keeps_nobody_from_being_reminded() -> None:
    keeping, speakers = KeptReminders(), Speakers("r1")
    async with kept_by(keeping, speakers) as desk:
        await desk.add("r1", After(10), "feed the cat")
        keeping.full = True
        with pytest.raises(StoreFailed):
            await desk.add("r1", After(10))
        await until(lambda: not desk.of("r1"))
        await asyncio.sleep(60)
    assert len(speakers.said) == 1


@virtual
async def test_a_robot_has_so_many_and_no_more() -> None:
    async with kept_by(KeptReminders(), Speakers()) as desk:
        for _ in range(MOST):
            await desk.add("r1", After(10))
        with pytest.raises(TooManyReminders):
            await desk.add("r1", After(10))
        assert (await desk.answer("r1", Set("timer", After(1), ""), 1)).startswith("I cannot keep")
        await desk.add("r2", After(10))


@virtual
async def test_what_has_passed_is_refused() -> None:
    wall = Wall()
    async with kept_by(KeptReminders(), Speakers(), wall) as desk:
        with pytest.raises(NeverDue):
            await desk.add("r1", wall() - 10)
        assert "passed" in await desk.answer("r1", Set("reminder", After(10**9), "x"), 1)


@virtual
async def test_users_ask_and_cancel_and_are_asked_back() -> None:
    keeping = KeptReminders()
    async with kept_by(keeping, Speakers()) as desk:
        assert await desk.answer("r1", Ask("timer"), 1) == "You have no timer set."
        assert (await desk.answer("r1", Set("timer", None), 2)).startswith("For how long?")
        assert (await desk.answer("r1", Set("reminder", None, "eat"), 3)).startswith("When?")
        await desk.answer("r1", Set("timer", After(300), "bake"), 4)
        await desk.answer("r1", Set("reminder", At(23, 30), "sleep"), 5)
        await asyncio.sleep(60)
        assert await desk.answer("r1", Ask("timer"), 6) == "Your timer: four minutes left to bake."
        assert "sleep" in await desk.answer("r1", Ask("reminder"), 7)
        assert await desk.answer("r1", Cancel("timer"), 8) == "Your timer is cancelled."
        assert await desk.answer("r1", Cancel("timer"), 9) == "There is no timer to cancel."
        assert [each.kind for each in desk.of("r1")] == ["reminder"]


@virtual
async def test_what_a_turn_has_set_that_was_reopened_is_taken_back() -> None:
    async with kept_by(KeptReminders(), Speakers()) as desk:
        await desk.answer("r1", Set("timer", After(300), ""), 4)
        await desk.take_back("r1", 3)
        assert len(desk.of("r1")) == 1
        await desk.take_back("r1", 4)
        assert desk.of("r1") == []
