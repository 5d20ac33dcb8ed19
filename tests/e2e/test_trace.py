"""A trace through real sockets and processes, of which two are killed."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from hub.trace.check import examine
from hub.trace.entries import Fact
from hub.trace.file import read
from protocols.messages.robot import TurnEnd
from robot_sim.robot import RobotOptions, SimulatedRobot, simulator_hello
from tests.e2e.processes import SCRIPTED, command, running
from tests.integration.stack import spoken

SAID = "where did grandmother hide the treasure"
QUIET = RobotOptions(hello=simulator_hello(), noise_dbfs=-200.0)
MOMENT_S = 0.75
"""A batch of entries leaves every 250 ms; this is more, and less than the second that may be lost."""


async def converse(robot: SimulatedRobot) -> TurnEnd:
    """Say something until it is answered: ears may not serve the robot yet."""
    while True:
        robot.say(spoken(SAID, ms=200))
        with suppress(TimeoutError):
            return await robot.next(TurnEnd, lambda end: bool(end.heard_text), timeout_s=5)


@pytest.mark.e2e
async def test_a_trace_survives_a_hub_and_a_recorder_that_are_killed(tmp_path: Path) -> None:
    async with running(tmp_path, {**SCRIPTED, "HUB_TRACE": "1"}) as hub:
        await hub.ready()
        await hub.until_linked("recorder-primary")
        async with hub.robot("r1", QUIET) as robot:
            await converse(robot)
            await asyncio.sleep(MOMENT_S)
            (recorder,) = await hub.pids_of("recorder-primary")
            for pid in (recorder, hub.children()["hub"]):
                os.kill(pid, signal.SIGKILL)
        await hub.restarted("recorder-primary", recorder)
    first, second = sorted((hub.data_dir / "traces").glob("*.mcap"))
    ended = [e for e in read(first) if isinstance(e, Fact) and e.topic == "turn.ended"]
    assert ended, "both were killed a moment after the end of the turn"
    assert not any("grandmother" in repr(entry) for entry in read(first))
    assert examine(read(second)).complete
    asked = await command("check-trace", str(first), str(second), cwd=tmp_path)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.startswith("clean: ")
    assert " 2 runs, " in asked.stdout
