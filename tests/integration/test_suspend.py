"""A robot that is suspended in the middle of a sentence, on a whole hub."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

from agents.planner.backends.scripted import ScriptedPlanner
from protocols.messages.robot import ActionResult, TurnEnd
from protocols.messages.turn import Outcome, TurnStart
from robot_sim.actions import Begun
from robot_sim.events import Jumped, Linked
from robot_sim.robot import RobotOptions, SimulatedRobot, simulator_hello
from robot_sim.speaker import Cue
from robot_sim.world import World, in_view
from tests.integration.stack import NO_NOISE_DBFS, running, told
from tests.robot_sim.test_clock import SECOND, SleepyClock


class Sender(ScriptedPlanner):
    """Sends the robot to its ball, and has it make a gesture much later."""

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        spins = [{"action": "gesture", "name": "spin"}] * 4
        actions = [{"action": "skill", "name": "investigate_ball"}, *spins]
        yield json.dumps({"emotion": "happy", "text": "I am going.", "actions": actions})


COUNTING = "one two three four five six seven eight nine ten"


async def test_it_comes_back_and_says_what_was_not_said_yet(tmp_path: Path) -> None:
    clock = SleepyClock()
    options = RobotOptions(hello=simulator_hello(), noise_dbfs=NO_NOISE_DBFS)
    async with (
        running(tmp_path) as hub,
        SimulatedRobot(hub.url, "r1", options, clock=clock) as robot,
    ):
        await robot.next(Linked)
        robot.write(COUNTING)
        await robot.next(Cue)
        clock.slept_ns += 20 * SECOND
        await robot.next(Jumped)
        again = await robot.next(Linked)
        assert again.welcome.resumed
        end = await robot.next(TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, f"{COUNTING}.")
        assert len(told(robot, TurnEnd)) == 1


async def test_nothing_that_was_received_before_is_done_after_it(tmp_path: Path) -> None:
    clock = SleepyClock()
    world = World("r1", in_view())
    options = RobotOptions(hello=simulator_hello(), noise_dbfs=NO_NOISE_DBFS, body=world)
    async with (
        running(tmp_path, planner=Sender()) as hub,
        SimulatedRobot(hub.url, "r1", options, clock=clock) as robot,
    ):
        await robot.next(Linked)
        robot.write("find the ball")
        await robot.next(Begun, lambda begun: begun.action.name == "spin")
        clock.slept_ns += 20 * SECOND
        await robot.next(Jumped)
        stood = world.pose
        begun = len(told(robot, Begun))
        assert (await robot.next(Linked)).welcome.resumed
        await robot.next(TurnEnd)
        assert len(told(robot, Begun)) == begun
        assert world.pose == stood
        expired = [r for r in told(robot, ActionResult) if r.detail == "expired"]
        assert len(expired) >= 2
