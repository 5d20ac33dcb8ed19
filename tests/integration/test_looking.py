"""A robot's camera on the real hub: frames on the bus, and turns that are answered from one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.ears.backends.scripted import ScriptedActivity
from agents.planner.backends.reflex import ReflexPlanner
from agents.runtime.errors import AgentError
from agents.runtime.life import Agent
from protocols.messages.face import Conversation
from protocols.messages.robot import CameraPicture, Capabilities, Face, TurnBegin, TurnEnd
from protocols.messages.session import Camera, ClockMeasured
from protocols.messages.turn import Outcome, Unseen
from protocols.messages.vision import STALE_FRAME_MS
from robot_sim.camera import RollingBall
from robot_sim.robot import RobotOptions, SimulatedRobot
from tests.fakes.pictures import jpeg
from tests.fakes.vision import FrameWatcher, ScriptedEyes
from tests.integration.stack import PATIENCE_S, Remembering, running, spoken

CAMERA = Camera(hfov_deg=70.0, width=64, height=48)
SEEING = Capabilities(camera=CAMERA)
QUESTION = "what do you see"
MS = 1_000_000


def vision(*services: object) -> list[tuple[str, Agent]]:
    agent = Agent(ScriptedActivity(), services, capacity=4)  # type: ignore[arg-type]
    return [("vision-primary", agent)]


def show(robot: SimulatedRobot, value: int = 128, age_ms: int = 0) -> bytes:
    """Send a picture that was taken ``age_ms`` ago; the JPEG."""
    data = jpeg(64, 48, value)
    taken_ns = robot.now_ns() - age_ms * MS
    robot.link.send_picture(CameraPicture(t_ns=taken_ns, width=64, height=48), data)
    return data


async def until(eyes: ScriptedEyes | FrameWatcher, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            eyes.changed.clear()
            await eyes.changed.wait()


async def test_frames_reach_the_vision_agent_with_the_hubs_time(tmp_path: Path) -> None:
    watcher = FrameWatcher()
    async with running(tmp_path, others=vision(watcher)) as hub:
        hub.observe(ClockMeasured)
        async with hub.robot(capabilities=SEEING) as robot, hub.robot("r2"):
            await hub.fact(ClockMeasured)
            await until(watcher, lambda: watcher.cameras)
            assert watcher.cameras == {"r1": CAMERA}
            shown = []
            for value in (10, 90, 200):
                shown.append(show(robot, value))
                await until(watcher, lambda: len(watcher.frames) == len(shown))
            robot.write("still there?")
            await robot.next(TurnEnd)
        await until(watcher, lambda: not watcher.cameras)
    assert [seen.jpeg for seen in watcher.frames] == shown
    for seen in watcher.frames:
        assert (seen.robot, seen.frame.width, seen.frame.height) == ("r1", 64, 48)
        assert not seen.frame.by_arrival
        # Hub and simulator share a machine whose two clocks differ by its time in suspend.
        assert 0 < seen.frame.error_ms < 1_000
    assert watcher.frames[0].taken_ns <= watcher.frames[1].taken_ns


async def test_what_do_you_see_is_answered_from_a_fresh_frame(tmp_path: Path) -> None:
    planner, eyes = Remembering(), ScriptedEyes("A red ball on  the floor.")
    async with running(tmp_path, planner=planner, others=vision(eyes)) as hub:
        hub.observe(ClockMeasured)
        async with hub.robot(capabilities=SEEING) as robot:
            await hub.fact(ClockMeasured)
            show(robot, 10)
            newest = show(robot, 200, age_ms=100)
            robot.say(spoken(QUESTION))
            end = await robot.next(TurnEnd)
    assert end.outcome is Outcome.DONE
    assert eyes.shown == [newest]
    assert eyes.asked == [QUESTION]
    sight = planner.asked[-1].sight
    assert sight is not None
    assert sight.text == "A red ball on the floor."
    assert 100 <= sight.age_ms < STALE_FRAME_MS
    assert not sight.by_arrival
    assert [s.name for s in end.segments][:4] == [
        "endpointing",
        "transcript",
        "sight",
        "first_token",
    ]


async def test_a_simulated_camera_is_looked_through(tmp_path: Path) -> None:
    planner, eyes, watcher = Remembering(), ScriptedEyes(), FrameWatcher()
    options = RobotOptions(sees=RollingBall(width=64, height=48, radius=8), fps=15.0)
    async with (
        running(tmp_path, planner=planner, others=vision(eyes, watcher)) as hub,
        SimulatedRobot(hub.url, "r1", options) as robot,
    ):
        await until(watcher, lambda: len(watcher.frames) >= 4)
        robot.write("look at this")
        end = await robot.next(TurnEnd)
    assert end.outcome is Outcome.DONE
    assert eyes.shown[0] in [seen.jpeg for seen in watcher.frames]
    sight = planner.asked[-1].sight
    assert sight is not None
    assert sight.text == "A red ball."
    assert sight.age_ms < 1_000


@pytest.mark.parametrize("age_ms", [None, STALE_FRAME_MS + 50])
async def test_without_a_frame_or_with_a_stale_one_nobody_is_shown_anything(
    tmp_path: Path, age_ms: int | None
) -> None:
    planner, eyes, watcher = Remembering(), ScriptedEyes(), FrameWatcher()
    async with running(tmp_path, planner=planner, others=vision(eyes, watcher)) as hub:
        hub.observe(ClockMeasured)
        async with hub.robot(capabilities=SEEING) as robot:
            await hub.fact(ClockMeasured)
            await until(watcher, lambda: watcher.cameras)  # frames are on a lane of their own
            if age_ms is not None:
                show(robot, age_ms=age_ms)
                await until(watcher, lambda: watcher.frames)
            robot.write(QUESTION)
            await robot.next(TurnEnd)
    sight = planner.asked[-1].sight
    assert sight is not None
    assert sight.missing is (Unseen.NO_FRAME if age_ms is None else Unseen.STALE_FRAME)
    assert not sight.text
    assert not eyes.shown


async def test_the_reflex_planner_says_that_its_camera_sends_nothing(tmp_path: Path) -> None:
    async with (
        running(tmp_path, planner=ReflexPlanner(), others=vision(ScriptedEyes())) as hub,
        hub.robot(capabilities=SEEING) as robot,
    ):
        robot.write(QUESTION)
        end = await robot.next(TurnEnd)
    assert end.heard_text.startswith("I cannot see anything right now: my camera sends no picture.")


async def test_a_robot_without_a_camera_and_a_hub_without_vision_say_so(tmp_path: Path) -> None:
    planner = Remembering()
    async with running(tmp_path, planner=planner) as hub:
        for capabilities in (Capabilities(), SEEING):
            async with hub.robot(capabilities=capabilities) as robot:
                robot.write(QUESTION)
                await robot.next(TurnEnd)
    missing = [turn.sight.missing for turn in planner.asked if turn.sight]
    assert missing == [Unseen.NO_CAMERA, Unseen.NO_VISION_AGENT]


async def test_eyes_that_fail_are_told_of_as_such(tmp_path: Path) -> None:
    planner, eyes = Remembering(), ScriptedEyes(error=AgentError("no memory", "vision_failed"))
    async with (
        running(tmp_path, planner=planner, others=vision(eyes)) as hub,
        hub.robot(capabilities=SEEING) as robot,
    ):
        show(robot)
        robot.write(QUESTION)
        await robot.next(TurnEnd)
    sight = planner.asked[-1].sight
    assert sight is not None
    assert sight.missing is Unseen.VISION_FAILED


async def test_who_goes_on_while_the_robot_looks_ends_the_look_and_gets_the_next_answer(
    tmp_path: Path,
) -> None:
    planner, eyes = Remembering(), ScriptedEyes(stuck=True)
    async with (
        running(tmp_path, planner=planner, others=vision(eyes)) as hub,
        hub.robot(capabilities=SEEING) as robot,
        hub.robot("r2") as other,
    ):
        show(robot)
        robot.write(QUESTION)
        await robot.next(TurnBegin)
        await robot.next(Face, lambda face: face.conversation is Conversation.THINKING)
        await until(eyes, lambda: eyes.shown)
        other.write("nobody waits for the eyes of another")
        assert (await other.next(TurnEnd)).outcome is Outcome.DONE
        robot.cancel()
        end = await robot.next(TurnEnd)
        assert (end.outcome, end.code) == (Outcome.CANCELLED, "client")
        await until(eyes, lambda: eyes.given_up == 1)
        robot.write("never mind")
        assert (await robot.next(TurnEnd)).heard_text == "never mind."
    assert QUESTION not in [turn.user_text for turn in planner.asked]


async def test_pictures_are_forgotten_with_their_connection(tmp_path: Path) -> None:
    planner, eyes = Remembering(), ScriptedEyes()
    async with running(tmp_path, planner=planner, others=vision(eyes)) as hub:
        for shows in (True, False):
            async with hub.robot(capabilities=SEEING) as robot:
                if shows:
                    show(robot)
                robot.write(QUESTION)
                await robot.next(TurnEnd)
    first, second = (turn.sight for turn in planner.asked if turn.sight)
    assert first.text == "A red ball."
    assert second.missing is Unseen.NO_FRAME
