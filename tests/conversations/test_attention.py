"""Conversations with a robot that does not always listen: everything real but the engines."""

import asyncio

import pytest

from protocols.messages import robot as wire
from protocols.messages.face import Conversation
from protocols.messages.session import Attention, EchoCanceller, Mute
from protocols.messages.turn import Outcome
from tests.conversations.stage import Robot, stage
from tests.conversations.test_conversations import telling, virtual

WAKE, PTT = Attention.WAKE_WORD, Attention.PUSH_TO_TALK
PRESS, LET_GO = (
    wire.AttentionRequest(attention=PTT, held=True),
    wire.AttentionRequest(attention=PTT),
)


def faces(robot: Robot) -> list[Conversation]:
    return [face.conversation for face in robot.told(wire.Face)]


@virtual
async def test_only_what_follows_the_wake_word_or_an_answer_is_taken() -> None:
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(Robot("r1"), attention=WAKE)
        robot.speak("not for you")
        await asyncio.sleep(3)
        assert robot.told(wire.Transcript) == []
        assert theatre.sessions.view("r1").unaddressed == 1
        robot.call()
        robot.speak("what time is it")
        await robot.next(wire.TurnEnd)
        assert [m.user_text for m in robot.told(wire.TurnBegin)] == ["what time is it"]
        await asyncio.sleep(3)
        robot.speak("and tomorrow")
        await robot.next(wire.TurnEnd, 2)
        await asyncio.sleep(9)
        robot.speak("not for you either")
        await asyncio.sleep(3)
        assert len(robot.told(wire.TurnBegin)) == 2
        assert theatre.sessions.view("r1").unaddressed == 2
        sessions = theatre.sessions.view("r1")
        assert (sessions.attention, sessions.mute, sessions.hearing) == ("wake_word", "off", False)
        told = [entry for entry in map(repr, theatre.trace) if "not for you" in entry]
        assert told == []  # nobody understood it


@virtual
async def test_what_is_being_said_when_a_robot_says_that_it_was_called_is_taken() -> None:
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(Robot("r1"), attention=WAKE, wakes=True)
        await asyncio.sleep(1)
        for number, said in enumerate(("what time is it", "and where"), 1):
            robot.speak(said, 1_000)
            await asyncio.sleep(0.06)
            robot.tell(wire.Wake(word="robot"))
            await robot.next(wire.TurnEnd, number)
            await asyncio.sleep(12)
        robot.speak("hey robot", 500)
        await asyncio.sleep(0.7)
        robot.tell(wire.Wake(word="robot"))
        await asyncio.sleep(1)
        robot.speak("who are you")
        await robot.next(wire.TurnEnd, 3)
        said = [m.user_text for m in robot.told(wire.TurnBegin)]
        assert said == ["what time is it", "and where", "who are you"]


@virtual
async def test_the_face_shows_the_wake_word_within_a_fifth_of_a_second() -> None:
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(Robot("r1"), attention=WAKE)
        assert faces(robot) in ([], [Conversation.IDLE])
        robot.call(alone=True)
        await asyncio.sleep(0.02 * 22 + 0.2)
        assert faces(robot)[-1] is Conversation.ATTENTION
        await asyncio.sleep(0.5)
        assert faces(robot)[-1] is Conversation.LISTENING
        await asyncio.sleep(9)
        assert faces(robot)[-1] is Conversation.IDLE


@virtual
@pytest.mark.parametrize("aec", [EchoCanceller.DEVICE, EchoCanceller.NONE])
async def test_the_wake_word_cuts_a_robot_that_can_tell_it_from_its_own_voice(
    aec: EchoCanceller,
) -> None:
    async with stage(telling("A very long story that goes on and on and on.")) as theatre:
        robot = await theatre.connect(Robot("r1"), attention=WAKE, aec=aec)
        robot.call()
        robot.speak("tell me a story")
        await robot.next(wire.SpeechText)
        await asyncio.sleep(0.6)
        robot.call()
        end = await robot.next(wire.TurnEnd)
        cut = aec is EchoCanceller.DEVICE
        assert end.outcome is (Outcome.INTERRUPTED if cut else Outcome.DONE)


@virtual
async def test_the_button_is_shown_within_a_tenth_of_a_second_and_stays_until_it_is_let_go() -> (
    None
):
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(Robot("r1"), attention=PTT)
        robot.tell(PRESS)
        await asyncio.sleep(0.1)
        assert faces(robot)[-1] is Conversation.PTT
        robot.speak("this is for you")
        await asyncio.sleep(0.8)
        assert faces(robot)[-1] is Conversation.PTT
        robot.tell(LET_GO)
        await robot.next(wire.TurnEnd)
        assert faces(robot)[-4:] == [
            Conversation.PTT, Conversation.THINKING, Conversation.SPEAKING, Conversation.IDLE,
        ]  # fmt: skip


@virtual
async def test_a_muted_robot_is_told_so_and_hears_nothing_until_it_may() -> None:
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(Robot("r1"))
        theatre.sessions.attend("r1", muted=True)
        told = await robot.next(wire.Listening)
        assert (told.mute, told.hearing) == (Mute.SOFTWARE, False)
        robot.speak("can you hear me")
        await asyncio.sleep(2)
        assert robot.told(wire.Transcript) == []
        assert faces(robot)[-1] is Conversation.IDLE
        theatre.sessions.attend("r1", muted=False)
        robot.speak("can you hear me now")
        await robot.next(wire.TurnEnd)
