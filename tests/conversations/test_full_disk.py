"""A disk that fills up while robots converse: history is lost and counted, a number never used
twice, and nobody is cut off who need not be."""

import asyncio

import pytest

from hub.errors import StoreFailed
from protocols.messages import robot as wire
from protocols.messages.turn import Outcome
from tests.conversations.stage import Robot, stage
from tests.fakes.full_disk import FillingStore
from tests.virtual_time import clock_ns, virtual


def filling() -> FillingStore:
    return FillingStore(lambda: clock_ns() / 1e9)


@virtual
async def test_a_conversation_goes_on_while_nothing_can_be_saved() -> None:
    store = filling()
    async with stage(store=store) as theatre:
        robot = await theatre.connect(Robot("r1"))
        store.full = True
        for number in (1, 2):
            robot.speak(f"question {number}")
            assert (await robot.next(wire.TurnEnd, number)).outcome is Outcome.DONE
        await asyncio.sleep(1)
        assert await store.open_turns() == ()
        assert theatre.sessions.counters.read()["history_not_saved"] >= 2


@virtual
async def test_who_cannot_be_given_a_saved_number_is_refused() -> None:
    store = filling()
    async with stage(store=store) as theatre:
        first = (await theatre.connect(Robot("r1"))).session
        store.full = True
        with pytest.raises(StoreFailed):
            await theatre.connect(Robot("r1"))
        store.full = False
        second = (await theatre.connect(Robot("r1"))).session
        assert first is not None
        assert second is not None
        assert second.epoch > first.epoch


@virtual
async def test_a_robot_whose_saved_turns_run_out_is_sent_away_before_one_is_used_unsaved() -> None:
    store = filling()
    async with stage(store=store) as theatre:
        robot = await theatre.connect(Robot("r1"))
        store.full = True
        saved = 256
        for _ in range(saved + 10):
            robot.tell(wire.Text(text="again"))
            await asyncio.sleep(0.05)

        assert robot.closed == (1011, "store_failed")
        turns = [begin.turn for begin in robot.told(wire.TurnBegin)]
        assert turns == sorted(set(turns))
        assert saved - 16 < turns[-1] <= saved
        assert theatre.sessions.counters.read()["turns_not_reserved"] > 0

        store.full = False
        back = await theatre.connect(Robot("r1"))
        back.speak("are you there")
        end = await back.next(wire.TurnEnd)
        assert end.outcome is Outcome.DONE
        assert end.turn > turns[-1]
        assert (await store.reserve_turns("r1", 1)).start > end.turn


@virtual
async def test_turns_are_reserved_however_short_they_are() -> None:
    store = filling()
    async with stage(store=store) as theatre:
        theatre.kill("planner")
        theatre.kill("reflex")
        await asyncio.sleep(2)
        robot = await theatre.connect(Robot("r1"))
        for _ in range(600):
            robot.tell(wire.Text(text="anybody"))
            await asyncio.sleep(0.02)

        turns = [begin.turn for begin in robot.told(wire.TurnBegin)]
        assert len(turns) == 600
        assert (await store.reserve_turns("r1", 1)).start > turns[-1]


@virtual
async def test_old_conversations_are_forgotten_when_there_is_room_again() -> None:
    store = filling()
    async with stage(store=store) as theatre:
        store.full = True
        await theatre.sessions.expire_history()
        store.full = False
        await theatre.sessions.expire_history()
        assert theatre.sessions.counters.read()["history_not_saved"] == 1
