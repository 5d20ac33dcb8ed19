"""A robot that is suspended in the middle of a sentence, on a whole hub."""

from pathlib import Path

from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.events import Jumped, Linked
from robot_sim.robot import RobotOptions, SimulatedRobot, simulator_hello
from robot_sim.speaker import Cue
from tests.integration.stack import NO_NOISE_DBFS, running, told
from tests.robot_sim.test_clock import SECOND, SleepyClock

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
