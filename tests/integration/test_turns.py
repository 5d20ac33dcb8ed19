"""Turns of a simulated robot on the real hub, over its native wire."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.planner.backends.scripted import Script, ScriptedPlanner, echo
from agents.runtime.errors import BackendTimeout
from agents.tts.backends.scripted import ScriptedVoice
from protocols.messages.face import Conversation
from protocols.messages.robot import (
    Emotion,
    Error,
    Face,
    SpeechEnd,
    Transcript,
    TurnBegin,
    TurnEnd,
)
from protocols.messages.turn import Exchange, Outcome, TurnReopened
from robot_sim.robot import SimulatedRobot
from robot_sim.speaker import Cue, Moment
from tests.integration.stack import (
    WORD_MS,
    Remembering,
    Stack,
    running,
    spoken,
    stuck_planner,
    told,
)

WORD_SAMPLES = 16 * WORD_MS
SWIFT = ScriptedVoice(word_ms=40)


def last(robot: SimulatedRobot, where: Callable[[object], bool]) -> int:
    """Where in the log the last happening stands that is ``where``."""
    return max(at for at, event in enumerate(robot.log) if where(event.what))


def shows(what: object, conversation: Conversation) -> bool:
    return isinstance(what, Face) and what.conversation is conversation


async def test_a_spoken_turn_is_heard_thought_about_and_answered(hub: Stack) -> None:
    async with hub.robot() as robot:
        robot.say(spoken("good morning robot"))
        end = await robot.next(TurnEnd)

    assert (end.outcome, end.code, end.responder, end.intent) == (
        Outcome.DONE,
        "",
        "primary",
        "echo",
    )
    assert end.heard_text == end.response_text == "good morning robot."
    final = told(robot, Transcript)[-1]
    assert (final.text, final.final) == ("good morning robot", True)
    assert [cue.played.samples for cue in told(robot, Cue)][-1] == 3 * WORD_SAMPLES
    assert [m.samples for m in told(robot, SpeechEnd)] == [3 * WORD_SAMPLES]
    assert not robot.speaker.counters
    assert await hub.history() == (
        Exchange(turn=1, user="good morning robot", robot="good morning robot.", emotion="happy"),
    )


async def test_the_face_thinks_then_feels_and_only_then_the_robot_sounds(hub: Stack) -> None:
    async with hub.robot() as robot:
        robot.say(spoken("good morning robot"))
        await robot.next(TurnEnd)

    order = [
        last(robot, lambda what: shows(what, Conversation.THINKING)),
        last(robot, lambda what: isinstance(what, TurnBegin)),
        last(robot, lambda what: isinstance(what, Emotion) and what.emotion == "happy"),
        last(robot, lambda what: isinstance(what, Cue) and what.moment is Moment.BEGAN),
        last(robot, lambda what: isinstance(what, TurnEnd)),
    ]
    assert order == sorted(order)
    assert shows(robot.log[-1].what, Conversation.LISTENING)


async def test_a_turn_tells_where_its_latency_came_from(hub: Stack) -> None:
    async with hub.robot() as robot:
        robot.say(spoken("good morning robot"))
        end = await robot.next(TurnEnd)

    assert [segment.name for segment in end.segments] == [
        "endpointing", "transcript", "first_token", "first_phrase", "first_sample_made",
        "first_byte_sent", "first_sample_played",
    ]  # fmt: skip
    assert all(segment.ms >= 0 for segment in end.segments)


async def test_the_next_turn_knows_what_was_said_before(tmp_path: Path) -> None:
    planner = Remembering()
    async with running(tmp_path, planner=planner) as hub, hub.robot() as robot:
        robot.write("one")
        await robot.next(TurnEnd)
        robot.write("two")
        await robot.next(TurnEnd)

    assert planner.asked[1].user_text == "two"
    assert planner.asked[1].history == (
        Exchange(turn=1, user="one", robot="one.", emotion="happy"),
    )


async def test_words_that_come_before_the_first_sample_make_one_turn_of_two(
    tmp_path: Path,
) -> None:
    thinking = asyncio.Event()

    async def until_told(_: float) -> None:
        await thinking.wait()

    slow = ScriptedPlanner([Script(("",), 1.0), echo("both")], sleep=until_told)
    async with running(tmp_path, planner=slow) as hub:
        async with hub.robot() as robot:
            robot.say(spoken("tell me"))
            first = await robot.next(TurnBegin)
            robot.say(spoken("a story"))
            reopened = await robot.next(TurnEnd)
            second = await robot.next(TurnBegin)
            end = await robot.next(TurnEnd)
        fact = await hub.fact(TurnReopened)
        history = await hub.history()

    assert (first.user_text, second.user_text) == ("tell me", "tell me a story")
    assert (reopened.turn, reopened.outcome, reopened.heard_text) == (1, Outcome.REOPENED, "")
    assert (end.turn, end.outcome, fact.by) == (2, Outcome.DONE, 2)
    assert slow.opened == slow.closed == 2
    assert [(one.turn, one.user) for one in history] == [(2, "tell me a story")]


FAILING = {
    "backend_timeout": Script((), error=BackendTimeout("slow today")),
    "llm_nonsense": Script(("{}",)),
}


@pytest.mark.parametrize("reason", FAILING)
async def test_a_planner_that_fails_is_stood_in_for_by_the_reflex_planner(
    reason: str, tmp_path: Path
) -> None:
    planner = ScriptedPlanner([FAILING[reason]])
    async with running(tmp_path, planner=planner, voice=SWIFT) as hub, hub.robot() as robot:
        robot.write("what is your name")
        end = await robot.next(TurnEnd)
        robot.write("and now")
        after = await robot.next(TurnEnd)

    assert (end.outcome, end.responder, end.fallback) == (Outcome.DONE, "reflex", reason)
    assert end.heard_text == end.response_text != ""
    assert (after.outcome, after.responder, after.fallback) == (Outcome.DONE, "primary", "")


async def test_a_planner_that_is_late_is_stood_in_for_by_the_deadline(tmp_path: Path) -> None:
    planner = stuck_planner()
    async with (
        running(tmp_path, planner=planner, voice=SWIFT, hub_planner_deadline_ms=100) as hub,
        hub.robot() as robot,
    ):
        robot.write("what is your name")
        end = await robot.next(TurnEnd)

    assert (end.outcome, end.responder, end.fallback) == (Outcome.DONE, "reflex", "llm_timeout")
    assert planner.closed == 1


async def test_a_planner_that_dies_in_a_turn_is_stood_in_for(tmp_path: Path) -> None:
    async with (
        running(tmp_path, planner=stuck_planner(), voice=SWIFT) as hub,
        hub.robot() as robot,
    ):
        robot.write("what is your name")
        await robot.next(TurnBegin)
        await hub.kill("planner-primary")
        end = await robot.next(TurnEnd)

    assert (end.outcome, end.responder, end.fallback) == (Outcome.DONE, "reflex", "planner_down")


async def test_a_voice_that_dies_in_mid_speech_ends_the_turn_by_its_code(hub: Stack) -> None:
    async with hub.robot() as robot:
        robot.write("one two three four five six")
        await robot.next(Cue)
        await hub.kill("tts-primary")
        end = await robot.next(TurnEnd)

    assert (end.outcome, end.code) == (Outcome.FAILED, "tts_down")
    assert "one two three four five six.".startswith(end.heard_text)


async def test_an_utterance_that_the_recogniser_fails_on_is_an_error_and_no_turn(
    hub: Stack,
) -> None:
    async with hub.robot() as robot:
        robot.say(spoken("!stt_broken"))
        error = await robot.next(Error)
        robot.say(spoken("again"))
        end = await robot.next(TurnEnd)

    assert error.code == "stt_broken"
    assert (end.turn, end.heard_text) == (1, "again.")
