"""How the hub's processes begin and end."""

import os
import signal
from pathlib import Path

import pytest

from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.events import Linked, Unlinked
from robot_sim.speaker import Cue
from tests.e2e.processes import SCRIPTED, Processes, alive, descendants, running

pytestmark = pytest.mark.e2e

COUNTING = "one two three four five"
AGENTS = ("ears-primary", "stt-primary", "planner-primary", "planner-reflex", "tts-primary")


async def test_agents_outlive_a_hub_that_is_killed_and_sigterm_lets_a_turn_end(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, SCRIPTED) as hub:
        await hub.ready()
        agents = [await hub.pids_of(agent) for agent in AGENTS]
        async with hub.robot() as robot:
            robot.write(COUNTING)
            await robot.next(Cue)
            os.kill(hub_pid(hub), signal.SIGKILL)
            await robot.next(Unlinked)
            again = await robot.next(Linked, timeout_s=30)
            await hub.ready()
            assert [await hub.pids_of(agent) for agent in AGENTS] == agents
            assert again.welcome.epoch == 2

            robot.write(COUNTING)
            await robot.next(Cue, lambda cue: cue.played.epoch == 2)
            started = hub.all_pids()
            hub.supervisor.terminate()
            end = await robot.next(TurnEnd)
            sent_away = await robot.next(Unlinked)
        code = await hub.ended()

    assert (end.outcome, end.heard_text) == (Outcome.DONE, f"{COUNTING}.")
    assert sent_away == Unlinked(4010, "draining")
    assert code == 0
    assert await alive(started) == set()
    assert "Traceback" not in hub.said()


async def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    environment = {"HUB_AGENTS": "stt", "STT_BACKEND": "pocketsphinx"}
    async with running(tmp_path, environment) as hub:
        await hub.until_linked("stt-primary")
        started = descendants(hub.supervisor.pid)
        (stt,) = await hub.pids_of("stt-primary")
        assert descendants(stt)
        hub.supervisor.kill()
        assert await alive(started) == set()


def hub_pid(hub: Processes) -> int:
    """The hub's own process among its supervisor's children."""
    commands = {
        pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        for pid in descendants(hub.supervisor.pid)
    }
    (pid,) = [pid for pid, words in commands.items() if words[-2:-1] == [b"hub"]]
    return pid
