"""What ends, pauses or takes over a robot's speech, over real sockets."""

import asyncio
from pathlib import Path

import pytest

from protocols.messages.robot import (
    Duck,
    Flush,
    Hold,
    Release,
    SpeechEnd,
    Transcript,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.session import EchoCanceller
from protocols.messages.turn import Outcome, TurnEnded
from robot_sim.captions import is_heard_prefix
from robot_sim.errors import LinkGone
from robot_sim.events import Unlinked
from robot_sim.robot import SimulatedRobot
from robot_sim.speaker import Cue, Moment
from tests.integration.stack import WORD_MS, Remembering, Stack, running, spoken, told

COUNTING = "one two three four five six"
TOTAL_MS = 6 * WORD_MS
TOLERANCE_MS = 100


async def talking(robot: SimulatedRobot, played_ms: int = 0) -> int:
    """Let the robot count and listen to it until ``played_ms``; its turn."""
    robot.write(COUNTING)
    cue = await robot.next(Cue, lambda cue: cue.played.samples >= 16 * played_ms)
    return cue.played.turn


def commands(robot: SimulatedRobot, turn: int) -> list[type]:
    """What the hub told the loudspeaker about ``turn``, in order."""
    kinds = (Duck, Hold, Release, Flush, TurnEnd)
    return [
        type(event.what)
        for event in robot.log
        if isinstance(event.what, kinds) and event.what.turn == turn
    ]


def heard(robot: SimulatedRobot, end: TurnEnd) -> bool:
    """Whether ``end`` tells the words that have left the loudspeaker, and no other."""
    words, played_ms = robot.captions.words(end.turn), robot.played_ms(end.turn)
    return is_heard_prefix(end.heard_text, words, played_ms, TOLERANCE_MS)


@pytest.mark.parametrize("played_ms", [100, 300, 500])
async def test_a_voice_ducks_holds_and_cuts_the_robot_wherever_it_is(
    hub: Stack, played_ms: int
) -> None:
    async with hub.robot() as robot:
        turn = await talking(robot, played_ms)
        robot.say(spoken("wait a moment", ms=600))
        end = await robot.next(TurnEnd)
        answer = await robot.next(TurnEnd)

    assert (end.outcome, end.code) == (Outcome.INTERRUPTED, "barge_in")
    assert commands(robot, turn) == [Duck, Hold, Flush, TurnEnd]
    assert played_ms <= robot.played_ms(turn) < TOTAL_MS
    assert heard(robot, end)
    assert robot.speaker.counters["fenced"] == 0
    assert (answer.outcome, answer.heard_text) == (Outcome.DONE, "wait a moment.")
    cut, answered = await hub.history()
    assert (cut.interrupted, cut.robot, cut.user) == (True, end.heard_text, COUNTING)
    assert (answered.interrupted, answered.user) == (False, "wait a moment")


@pytest.mark.parametrize("murmur", ["", "mhm yeah"])
async def test_after_a_false_alarm_the_speech_goes_on_at_the_held_sample(
    hub: Stack, murmur: str
) -> None:
    async with hub.robot() as robot:
        turn = await talking(robot, 300)
        robot.say(spoken(murmur, ms=100))
        held = await robot.next(Cue, lambda cue: cue.moment is Moment.HELD)
        await robot.next(Release)
        ended = await robot.next(Cue, lambda cue: cue.moment is Moment.ENDED)
        end = await robot.next(TurnEnd)

    assert (end.turn, end.outcome, end.heard_text) == (turn, Outcome.DONE, f"{COUNTING}.")
    assert commands(robot, turn) == [Duck, Hold, Release, TurnEnd]
    assert held.played.samples < ended.played.samples == 16 * TOTAL_MS
    assert not robot.speaker.counters
    assert [exchange.robot for exchange in await hub.history()] == [f"{COUNTING}."]


async def test_without_an_echo_canceller_a_voice_does_not_interrupt(hub: Stack) -> None:
    async with hub.robot(aec=EchoCanceller.NONE) as robot:
        turn = await talking(robot, 300)
        robot.say(spoken("wait a moment", ms=300))
        end = await robot.next(TurnEnd)

    assert (end.outcome, end.heard_text) == (Outcome.DONE, f"{COUNTING}.")
    assert commands(robot, turn) == [TurnEnd]


async def test_the_stop_word_silences_the_robot_and_is_no_turn(hub: Stack) -> None:
    async with hub.robot() as robot:
        await talking(robot, 300)
        robot.say(spoken("stop", ms=200))
        end = await robot.next(TurnEnd)
        await robot.next(Transcript, lambda said: said.final)
        robot.write("go on")
        after = await robot.next(TurnEnd)

    assert end.outcome is Outcome.INTERRUPTED
    assert heard(robot, end)
    assert (after.turn, after.outcome) == (end.turn + 1, Outcome.DONE)


async def test_the_stop_button_cuts_at_once_and_history_ends_with_the_last_word_heard(
    hub: Stack,
) -> None:
    async with hub.robot() as robot:
        turn = await talking(robot, 500)
        robot.cancel()
        end = await robot.next(TurnEnd)

    assert (end.turn, end.outcome, end.code) == (turn, Outcome.CANCELLED, "client")
    assert commands(robot, turn) == [Flush, TurnEnd]
    assert robot.played_ms(turn) < TOTAL_MS
    assert heard(robot, end)
    (exchange,) = await hub.history()
    assert exchange.robot == end.heard_text
    assert exchange.robot.split()[-1] in COUNTING.split()[2:5]


async def test_a_newer_connection_takes_over_in_mid_speech(tmp_path: Path) -> None:
    planner = Remembering()
    async with running(tmp_path, planner=planner) as hub, hub.robot() as older:
        turn = await talking(older, 500)
        async with hub.robot() as newer:
            gone = await older.next(Unlinked)
            newer.write("where were we")
            answer = await newer.next(TurnEnd)
        ended = await hub.fact(TurnEnded)

    assert gone == Unlinked(4001, "replaced_by_newer_session")
    assert (ended.outcome, ended.code) == (Outcome.CANCELLED, "takeover")
    assert [what.epoch for what in told(newer, Welcome)] == [2]
    assert (answer.turn, answer.outcome) == (turn + 1, Outcome.DONE)
    (before,) = planner.asked[-1].history
    assert (before.user, before.robot) == (COUNTING, ended.heard_text)
    assert ended.heard_text.startswith("one two")


async def test_a_connection_that_was_replaced_hears_nothing_more(hub: Stack) -> None:
    async with hub.robot() as older:
        turn = await talking(older, 300)
        async with hub.robot() as newer:
            newer.write("hello")
            await newer.next(TurnEnd)
        with pytest.raises(LinkGone):
            await older.next(TurnBegin)

    told = [e.what for e in older.log if not isinstance(e.what, Cue)]
    assert isinstance(told[-1], Unlinked)
    assert told[-2] == Flush(epoch=1, turn=turn)
    assert not any(isinstance(what, TurnEnd | SpeechEnd) for what in told)
    assert older.played_ms(turn) < TOTAL_MS
    assert older.speaker.counters["fenced"] == 0


async def test_a_robot_speaks_when_a_program_wants_it_to(hub: Stack) -> None:
    async with hub.robot() as robot, hub.http() as http:
        answer = await http.post("/say", json={"robot_id": "r1", "text": "dinner is ready"})
        end = await robot.next(TurnEnd)

    assert answer.json() == {"robot_id": "r1", "outcome": "done"}
    assert (end.outcome, end.heard_text) == (Outcome.DONE, "dinner is ready")
    (exchange,) = await hub.history()
    assert (exchange.user, exchange.robot) == ("", "dinner is ready")


async def test_what_a_program_wants_said_waits_for_no_user(hub: Stack) -> None:
    async with hub.robot() as robot, hub.http() as http:
        turn = await talking(robot)
        answer = await http.post("/say", json={"robot_id": "r1", "text": "dinner is ready"})
        end = await robot.next(TurnEnd)

    assert answer.json() == {"robot_id": "r1", "outcome": "busy_with_user"}
    assert (end.turn, end.outcome, end.heard_text) == (turn, Outcome.DONE, f"{COUNTING}.")


async def test_a_user_interrupts_what_a_program_wants_said(hub: Stack) -> None:
    async with hub.robot() as robot, hub.http() as http, asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(
            http.post("/say", json={"robot_id": "r1", "text": f"{COUNTING}."})
        )
        await robot.next(Cue, lambda cue: cue.played.samples > 3200)
        robot.say(spoken("not now", ms=300))
        end = await robot.next(TurnEnd)
        answer = await robot.next(TurnEnd)

    assert asked.result().json() == {"robot_id": "r1", "outcome": "interrupted"}
    assert (end.outcome, end.code) == (Outcome.INTERRUPTED, "barge_in")
    assert (answer.outcome, answer.heard_text) == (Outcome.DONE, "not now.")


async def test_nothing_is_said_to_a_robot_that_is_not_there(hub: Stack) -> None:
    async with hub.http() as http:
        answer = await http.post("/say", json={"robot_id": "r9", "text": "dinner is ready"})

    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_robot")
