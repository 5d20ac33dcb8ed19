"""Conversations in virtual time: half a minute of speech in milliseconds, always the same."""

import asyncio

import pytest

from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.runtime.errors import BackendUnavailable
from protocols.messages import robot as wire
from protocols.messages.face import Conversation
from protocols.messages.session import Attention, EchoCanceller, Endpointing
from protocols.messages.turn import Outcome
from tests.conversations.stage import Robot, Stage, stage
from tests.virtual_time import until, virtual

STORY = (
    "Once upon a time there was a robot. It lived in a house by the sea. "
    "Every morning it counted all the birds. Every evening it told the cat how many there were."
)


def telling(*texts: str) -> ScriptedPlanner:
    """A planner whose answers are ``texts``."""
    return ScriptedPlanner(
        Script((f'{{"emotion": "happy", "intensity": 0.6, "intent": "tell", "text": "{text}"}}',))
        for text in texts
    )


async def in_the_story(theatre: Stage, heard_ms: int = 1_000, **hello: object) -> Robot:
    """A robot that has told its story for ``heard_ms``."""
    robot = await theatre.connect(Robot("r1"), **hello)
    robot.speak("tell me a story")
    await until(lambda: robot.played_ms(1) >= heard_ms)
    return robot


def words_played(robot: Robot, turn: int = 1) -> int:
    """How many whole words of 200 ms left the loudspeaker."""
    return int(robot.played_ms(turn)) // 200


@virtual
async def test_thirty_seconds_of_conversation() -> None:
    answers = [f"This is answer number {n}. I hope that you like it." for n in range(6)]
    async with stage(telling(*answers)) as theatre:
        robot = await theatre.connect(Robot("r1"))
        for number in range(1, 7):
            robot.speak(f"question number {number}", ms=1_000)
            end = await robot.next(wire.TurnEnd, number)
            assert (end.turn, end.outcome, end.intent) == (number, Outcome.DONE, "tell")
            assert end.heard_text == answers[number - 1]
        finals = [t.text for t in robot.told(wire.Transcript) if t.final]
        assert finals == [f"question number {n}" for n in range(1, 7)]
        history = await theatre.store.load_history("r1")
        assert [e.robot for e in history] == answers
        assert robot.speaker.counters == {}


@virtual
async def test_the_face_comes_before_the_voice_and_the_segments_add_up() -> None:
    async with stage() as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("hello robot")
        end = await robot.next(wire.TurnEnd)
        kinds = [type(m) for m in robot.heard]
        assert kinds.index(wire.Emotion) < kinds.index(wire.SpeechText)
        assert end.segments[0].name == "endpointing"
        assert end.segments[-1].name == "first_sample_played"
        assert sum(s.ms for s in end.segments) == pytest.approx(300, abs=60)
        shown = [f.conversation for f in robot.told(wire.Face)]
        assert shown == [
            Conversation.LISTENING,
            Conversation.THINKING,
            Conversation.SPEAKING,
            Conversation.LISTENING,
        ]


@pytest.mark.parametrize("heard_ms", [10, 190, 410, 1_000, 2_750, 5_000])
@virtual
async def test_a_barge_in_at_any_moment_keeps_exactly_what_was_heard(heard_ms: int) -> None:
    async with stage(telling(STORY, "Of course.")) as theatre:
        robot = await in_the_story(theatre, heard_ms)
        robot.speak("excuse me", ms=900)
        cut = await robot.next(wire.TurnEnd)
        assert (cut.outcome, cut.code) == (Outcome.INTERRUPTED, "barge_in")
        assert [type(m) for m in robot.heard if isinstance(m, wire.Duck | wire.Hold | wire.Flush)] == [
            wire.Duck, wire.Hold, wire.Flush,
        ]  # fmt: skip
        assert len(cut.heard_text.split()) in (words_played(robot), words_played(robot) + 1)
        assert STORY.startswith(cut.heard_text)
        silent_at = robot.played_ms(1)
        answer = await robot.next(wire.TurnEnd, 2)
        assert answer.outcome is Outcome.DONE
        assert robot.played_ms(1) == silent_at
        history = await theatre.store.load_history("r1")
        assert (history[0].robot, history[0].interrupted) == (cut.heard_text, True)


@virtual
async def test_a_cough_ducks_the_robot_and_it_goes_on_from_where_it_was() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.speak("", ms=260)
        end = await robot.next(wire.TurnEnd)
        assert end.outcome is Outcome.DONE
        assert end.heard_text == STORY
        assert len(robot.told(wire.Release)) == 1
        assert robot.played_ms(1) == len(STORY.split()) * 200


@virtual
async def test_a_backchannel_does_not_cut_the_robot() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.speak("mhm", ms=300)
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, STORY)


@virtual
async def test_a_turn_is_reopened_when_the_user_goes_on() -> None:
    slow = ScriptedPlanner(
        [
            Script(('{"text": "Which one?"}',), pause_s=1.5),
            Script(('{"text": "I look for the red ball."}',)),
        ]
    )
    async with stage(slow) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("find the ball")
        await robot.next(wire.TurnBegin)
        robot.speak("the red one")
        end = await robot.next(wire.TurnEnd, 2)
        first = robot.told(wire.TurnEnd)[0]
        assert first.outcome is Outcome.REOPENED
        assert robot.told(wire.TurnBegin)[1].user_text == "find the ball the red one"
        assert end.heard_text == "I look for the red ball."
        assert robot.played_ms(1) == 0
        assert len(await theatre.store.load_history("r1")) == 1


@virtual
async def test_cancel_by_the_client_stops_the_voice_within_the_wire() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre, aec=EchoCanceller.NONE)
        robot.tell(wire.Cancel())
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.code) == (Outcome.CANCELLED, "client")
        at_the_end = robot.played_ms(1)
        await asyncio.sleep(3)
        assert robot.played_ms(1) == at_the_end
        assert at_the_end < 1_200


@virtual
async def test_without_echo_cancelling_the_robot_does_not_interrupt_itself() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre, aec=EchoCanceller.NONE)
        robot.speak("once upon a time", ms=2_000)
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, STORY)
        assert robot.told(wire.Duck) == []


@virtual
async def test_a_takeover_in_mid_speech_fences_the_older_connection() -> None:
    async with stage(telling(STORY, "I am here.")) as theatre:
        old = await in_the_story(theatre)
        new = await theatre.reconnect(old)
        assert old.closed == (4001, "replaced_by_newer_session")
        received = len(old.heard) + len(old.frames)
        assert new.session is not None
        assert old.session is not None
        assert new.session.epoch == old.session.epoch + 1
        new.speak("are you there")
        end = await new.next(wire.TurnEnd)
        assert (end.turn, end.heard_text) == (2, "I am here.")
        assert len(old.heard) + len(old.frames) == received
        history = await theatre.store.load_history("r1")
        assert STORY.startswith(history[0].robot)


@virtual
async def test_messages_that_come_twice_change_nothing() -> None:
    async with stage(telling("Yes, I am.")) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.duplicate = True
        robot.speak("are you there")
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, "Yes, I am.")
        assert [t.text for t in robot.told(wire.Transcript) if t.final] == ["are you there"]


@virtual
async def test_two_robots_talk_at_once_and_hear_only_their_own() -> None:
    async with stage() as theatre:
        robots = [await theatre.connect(Robot(f"r{n}")) for n in (1, 2)]
        for robot in robots:
            robot.speak(f"this is {robot.name}")
        for robot in robots:
            end = await robot.next(wire.TurnEnd)
            assert end.heard_text == f"this is {robot.name}."


@virtual
async def test_a_planner_that_fails_is_replaced_within_a_tenth_of_a_second() -> None:
    failing = ScriptedPlanner([Script((), error=BackendUnavailable("gone"))])
    async with stage(failing) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("hello robot")
        end = await robot.next(wire.TurnEnd)
        assert (end.responder, end.fallback) == ("reflex", "backend_unavailable")
        assert end.outcome is Outcome.DONE
        token = next(s.ms for s in end.segments if s.name == "first_token")
        assert token < 100


@virtual
async def test_a_planner_that_is_killed_in_its_turn_is_replaced() -> None:
    slow = ScriptedPlanner([Script(('{"text": "Too late."}',), pause_s=30)])
    async with stage(slow) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("hello robot")
        await robot.next(wire.TurnBegin)
        theatre.kill("planner")
        end = await robot.next(wire.TurnEnd)
        assert (end.responder, end.fallback) == ("reflex", "planner_down")


@virtual
async def test_a_voice_that_is_killed_ends_its_turn_coded() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        theatre.kill("tts")
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.code) == (Outcome.FAILED, "tts_down")
        assert STORY.startswith(end.heard_text)


@virtual
async def test_an_announcement_is_heard_and_its_caller_told() -> None:
    async with stage() as theatre:
        robot = await theatre.connect(Robot("r1"))
        assert await theatre.sessions.say("r1", "Lunch is ready.") == Outcome.DONE
        end = await robot.next(wire.TurnEnd)
        assert end.heard_text == "Lunch is ready."


@virtual
async def test_a_client_that_ends_utterances_itself() -> None:
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(
            Robot("r1"), endpointing=Endpointing.CLIENT, aec=EchoCanceller.NONE
        )
        robot.speak("can you hear me", ms=400)
        await asyncio.sleep(2)
        assert robot.told(wire.TurnBegin) == []
        robot.tell(wire.EndUtterance())
        assert (await robot.next(wire.TurnEnd)).heard_text == "I heard you."


@virtual
async def test_push_to_talk_listens_only_while_the_button_is_held() -> None:
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(Robot("r1"), attention=Attention.PUSH_TO_TALK)
        robot.speak("not for you")
        await asyncio.sleep(3)
        assert robot.told(wire.Transcript) == []
        robot.tell(wire.AttentionRequest(attention=Attention.PUSH_TO_TALK, held=True))
        await asyncio.sleep(0.1)
        robot.speak("this is for you")
        await asyncio.sleep(0.8)
        robot.tell(wire.AttentionRequest(attention=Attention.PUSH_TO_TALK, held=False))
        assert (await robot.next(wire.TurnEnd)).heard_text == "I heard you."
