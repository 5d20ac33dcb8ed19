"""What do you see? Whole conversations of a robot with a camera, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agents.planner.backends.reflex import ReflexPlanner
from hub.session.state import Policy
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.robot import Cancel, Capabilities, Face, Text, TurnBegin, TurnEnd
from protocols.messages.session import Camera
from protocols.messages.turn import Outcome
from protocols.messages.vision import STALE_FRAME_MS, CameraFrame
from tests.conversations.stage import Robot, Stage, stage
from tests.fakes.pictures import jpeg
from tests.fakes.vision import ScriptedEyes
from tests.virtual_time import clock_ns, until, virtual

SEEING = Capabilities(camera=Camera(hfov_deg=62.0, width=64, height=48))
FRAME = CameraFrame(width=64, height=48, error_ms=2.0)
QUESTION = Text(text="what do you see")


@asynccontextmanager
async def seeing(eyes: ScriptedEyes) -> AsyncIterator[tuple[Stage, Robot]]:
    """A robot with a camera and a reflex planner, and eyes for it."""
    async with stage(planner=ReflexPlanner()) as theatre:
        theatre.start_agent("vision", AgentKind.VISION, eyes)
        await until(lambda: len(theatre.registry.agents()) == 6)
        await until(lambda: theatre.registry.pick(AgentKind.VISION) is not None)
        yield theatre, await theatre.connect(Robot("r1"), capabilities=SEEING)


def show(robot: Robot, age_ms: int = 0) -> None:
    assert robot.session is not None
    robot.session.on_camera(FRAME, jpeg(), clock_ns() - age_ms * 1_000_000)


async def answer(robot: Robot, count: int = 1) -> TurnEnd:
    return await robot.next(TurnEnd, count)


@virtual
async def test_the_robot_thinks_looks_and_says_what_it_sees() -> None:
    async with seeing(ScriptedEyes("A red ball on a floor.")) as (_, robot):
        show(robot, age_ms=500)
        robot.tell(QUESTION)
        end = await answer(robot)
        assert end.heard_text == "This is what I see: A red ball on a floor."
        faces = [face.conversation for face in robot.told(Face)]
        assert faces.index(Conversation.THINKING) < faces.index(Conversation.SPEAKING)


@virtual
@pytest.mark.parametrize(("age_ms", "sees"), [(STALE_FRAME_MS - 3, True), (STALE_FRAME_MS, False)])
async def test_a_picture_is_answered_from_until_it_may_be_stale(age_ms: int, sees: bool) -> None:
    eyes = ScriptedEyes()
    async with seeing(eyes) as (_, robot):
        show(robot)
        await asyncio.sleep(age_ms / 1_000)
        assert robot.session is not None
        robot.session.on_message(QUESTION)
        end = await answer(robot)
        assert ("This is what I see" in end.heard_text) is sees
        assert ("last picture is too old" in end.heard_text) is not sees
        assert len(eyes.shown) == sees


@virtual
async def test_eyes_that_never_answer_are_given_up_and_the_robot_says_so() -> None:
    eyes = ScriptedEyes(stuck=True)
    async with seeing(eyes) as (_, robot):
        show(robot)
        began_s = asyncio.get_running_loop().time()
        robot.tell(QUESTION)
        end = await answer(robot)
        assert end.outcome is Outcome.DONE
        assert end.response_text.startswith("I looked, but I could not make out what I see.")
        assert eyes.given_up == 1
        look_ms = next(s.ms for s in end.segments if s.name == "sight")
        assert look_ms == Policy().look_ms
        assert asyncio.get_running_loop().time() - began_s < 15


@virtual
async def test_eyes_that_die_while_they_look_are_told_of_at_once() -> None:
    eyes = ScriptedEyes(stuck=True)
    async with seeing(eyes) as (theatre, robot):
        show(robot)
        robot.tell(QUESTION)
        await until(lambda: eyes.shown)
        theatre.kill("vision")
        end = await answer(robot)
        assert "cannot tell what I see" in end.heard_text


@virtual
async def test_a_voice_before_the_answer_reopens_the_turn_and_cancels_the_look() -> None:
    eyes = ScriptedEyes(stuck=True)
    async with seeing(eyes) as (_, robot):
        show(robot)
        robot.speak("what do you see")
        await robot.next(TurnBegin)
        await until(lambda: eyes.shown)
        eyes.stuck = False
        show(robot)
        robot.speak("on the table")
        end = await answer(robot, 2)
        assert robot.told(TurnEnd)[0].outcome is Outcome.REOPENED
        assert end.heard_text == "This is what I see: A red ball."
        assert eyes.given_up == 1
        assert eyes.asked[-1] == "what do you see on the table"


@virtual
async def test_a_robot_that_is_cut_off_while_it_looks_hears_the_answer_when_it_is_back() -> None:
    eyes = ScriptedEyes(stuck=True)
    async with seeing(eyes) as (theatre, robot):
        show(robot)
        robot.tell(QUESTION)
        await until(lambda: eyes.shown)
        robot.cut()
        await asyncio.sleep(1)
        await theatre.come_back(robot, capabilities=SEEING)
        end = await answer(robot)
        assert end.response_text.startswith("I looked, but I could not make out what I see.")
        robot.tell(QUESTION)
        assert "my camera sends no picture" in (await answer(robot, 2)).heard_text


@virtual
async def test_a_cancel_while_the_robot_looks_reaches_the_eyes_at_once() -> None:
    eyes = ScriptedEyes(stuck=True)
    async with seeing(eyes) as (_, robot):
        show(robot)
        robot.tell(QUESTION)
        await until(lambda: eyes.shown)
        began_s = asyncio.get_running_loop().time()
        robot.tell(Cancel())
        end = await answer(robot)
        assert (end.outcome, end.code) == (Outcome.CANCELLED, "client")
        await until(lambda: eyes.given_up == 1)
        assert asyncio.get_running_loop().time() - began_s < 0.2


@virtual
async def test_a_newer_connection_does_not_see_what_the_older_one_saw() -> None:
    async with seeing(ScriptedEyes()) as (theatre, robot):
        show(robot)
        newer = await theatre.connect(Robot("r1"), capabilities=SEEING)
        newer.tell(QUESTION)
        assert "my camera sends no picture" in (await answer(newer)).heard_text
