"""How the hub's processes begin and end."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.events import Linked, Unlinked
from robot_sim.speaker import Cue
from tests.e2e.processes import (
    SCRIPTED,
    Processes,
    alive,
    command,
    descendants,
    running,
    until,
)

pytestmark = pytest.mark.e2e

COUNTING = "one two three four five"
AGENTS = ("ears-primary", "stt-primary", "planner-primary", "planner-reflex", "tts-primary")


async def whole(hub: Processes) -> None:
    """Return once the hub is ready, and has the agent that stands in, too."""
    await hub.ready()
    for agent in AGENTS:
        await hub.until_linked(agent)


async def test_agents_outlive_a_hub_that_is_killed_and_sigterm_lets_a_turn_end(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, SCRIPTED) as hub:
        await whole(hub)
        agents = [await hub.pids_of(agent) for agent in AGENTS]
        async with hub.robot() as robot:
            robot.write(COUNTING)
            await robot.next(Cue)
            os.kill(hub.children()["hub"], signal.SIGKILL)
            await robot.next(Unlinked)
            again = await robot.next(Linked, timeout_s=30)
            await whole(hub)
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


async def test_who_asks_the_hub_learns_which_agent_is_degraded_and_why(tmp_path: Path) -> None:
    environment = {**SCRIPTED, "HUB_AGENTS": "ears", "EARS_TURN_MODEL": "crystal ball"}
    async with running(tmp_path, environment) as hub:
        await until(lambda: _knows_of_a_degraded(hub))
        shown = await command("status", "--hub", hub.url, cwd=tmp_path)

    assert "degraded: ears ended with exit code 2" in shown.stdout
    assert "crystal ball" in shown.stdout


async def _knows_of_a_degraded(hub: Processes) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return bool((await client.get(f"{hub.url}/status")).json()["degraded"])
        except httpx.TransportError:
            return False  # the hub itself is starting
