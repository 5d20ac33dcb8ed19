"""What a signal does, and what a second one does."""

import os
import signal
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from robot_sim.events import Linked, Unlinked
from robot_sim.speaker import Cue
from tests.e2e.processes import SCRIPTED, alive, descendants, running

pytestmark = pytest.mark.e2e

PATIENCE_S = 30.0
LONG_TEXT = "one two three four five six seven eight nine ten " * 20


async def test_the_first_signal_drains_and_the_second_ends_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, {**SCRIPTED, "HUB_DRAIN_S": "600"}) as hub:
        await hub.ready()
        (planner,) = await hub.pids_of("planner-primary")
        async with hub.robot() as robot:
            robot.write(LONG_TEXT)
            await robot.next(Cue, timeout_s=PATIENCE_S)
            for pid in (planner, hub.children()["hub"]):  # each by itself, and restarted
                its_own = descendants(pid) | {pid}
                os.kill(pid, signal.SIGINT)
                os.kill(pid, signal.SIGTERM)
                assert await alive(its_own) == set()
            await robot.next(Linked, timeout_s=PATIENCE_S)
            await hub.ready()

            robot.write(LONG_TEXT)
            await robot.next(Cue, lambda cue: cue.played.epoch == 2, PATIENCE_S)
            started = hub.all_pids()
            hub.supervisor.terminate()
            await hub.draining()
            async with connect(f"ws{hub.url.removeprefix('http')}/converse?robot_id=late") as late:
                await late.wait_closed()
                assert late.close_code == 4010
            assert hub.supervisor.returncode is None
            hub.supervisor.terminate()
            code = await hub.ended()
            await robot.next(Unlinked)
    assert code == 128 + signal.SIGTERM
    assert await alive(started) == set()
    assert "Traceback" not in hub.said()
