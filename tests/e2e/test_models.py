"""``robot-hub models`` as its user meets it: real processes, scripted and small real engines."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.speaker import Cue
from tests.agents.stt import tiny_whisper
from tests.e2e.processes import SCRIPTED, Processes, command, running, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

LONG = "one two three four five six seven eight nine ten " * 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Processes]:
    """Each test leaves it with all its agents at work, with whatever models."""
    async with running(tmp_path_factory.mktemp("hub"), SCRIPTED) as processes:
        await processes.ready()
        yield processes


async def agents(hub: Processes) -> dict[str, dict[str, Any]]:
    """What ``/status`` says of each agent, by ``kind-role``."""
    async with httpx.AsyncClient(trust_env=False) as client:
        found = (await client.get(f"{hub.url}/status")).json()["agents"]
    return {name.rpartition("-")[0]: agent for name, agent in found.items()}


async def test_a_model_is_switched_under_a_turn_and_the_next_turn_gets_the_new_one(
    hub: Processes, tmp_path: Path
) -> None:
    pids = hub.children()
    async with hub.robot() as robot:
        robot.write(LONG)
        await robot.next(Cue)
        # The voice is at most 4 s ahead of a phrase of 8 s, so it is in use.
        done = await command("models", "load", "tts", "other", "--hub", hub.url, cwd=tmp_path)
        planned = await command("models", "load", "planner", "new", "--hub", hub.url, cwd=tmp_path)
        first = await robot.next(TurnEnd, timeout_s=30)
        robot.write("hello")
        second = await robot.next(TurnEnd, timeout_s=30)
    shown = await command("models", "--hub", hub.url, cwd=tmp_path)
    now = await agents(hub)
    assert hub.children() == pids

    assert (done.returncode, done.stderr) == (0, "")
    assert "tts serves with other" in done.stdout
    assert planned.returncode == 0
    assert (first.outcome, first.heard_text) == (Outcome.DONE, f"{LONG.strip()}.")
    assert (second.outcome, second.intent, second.responder) == (Outcome.DONE, "new", "primary")
    assert (now["planner-primary"]["model"], now["tts-primary"]["model"]) == ("new", "other")
    assert "planner-primary" in shown.stdout
    assert "ready" in shown.stdout


async def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    hub: Processes, tmp_path: Path
) -> None:
    wrong = [
        await command("models", *words, "--hub", hub.url, cwd=tmp_path)
        for words in (
            ("load", "planner", "!broken"),
            ("load", "ears", "x"),
            ("load", "toaster", "x"),
            ("load", "planner", ""),
        )
    ]
    nobody = await command("models", "unload", "tts", "--hub", "http://127.0.0.1:9", cwd=tmp_path)

    assert [each.returncode for each in (*wrong, nobody)] == [2] * 5
    sentences = [each.stderr.strip() for each in (*wrong, nobody)]
    assert all("\n" not in sentence for sentence in sentences)
    assert "!broken is scripted to fail (backend_unavailable)" in sentences[0]
    assert "ears runs on" in sentences[1]
    assert "no agent of kind 'toaster'" in sentences[2]
    assert "(422): model" in sentences[3]
    assert "no hub answers" in sentences[4]


@pytest.mark.engine
async def test_a_real_recogniser_is_unloaded_when_idle_and_its_memory_is_free(
    tmp_path: Path,
) -> None:
    small = str(tiny_whisper.build(tmp_path / "small"))
    environment = {
        **SCRIPTED, "STT_BACKEND": "pocketsphinx", "HUB_AGENTS": "stt", "HUB_MODEL_IDLE_S": "2",
    }  # fmt: skip
    async with running(tmp_path, environment) as hub:
        await until(lambda: _stt_is(hub, "ready"))
        loaded = (await agents(hub))["stt-primary"]["memory_mib"]
        await until(lambda: _stt_is(hub, "unloaded"))
        unloaded = (await agents(hub))["stt-primary"]
        refused = await command("models", "load", "stt", small, "--hub", hub.url, cwd=tmp_path)

    assert unloaded["state"] == "ready"
    assert loaded - unloaded["memory_mib"] > 100
    assert refused.returncode == 2
    assert "has no models" in refused.stderr


async def test_a_switched_agent_that_is_killed_comes_back_alone_with_the_model_of_its_settings(
    hub: Processes, tmp_path: Path
) -> None:
    await command("models", "load", "planner", "fresh", "--hub", hub.url, cwd=tmp_path)
    assert (await agents(hub))["planner-primary"]["model"] == "fresh"
    before = hub.children()
    os.kill(before["planner"], signal.SIGKILL)
    await hub.restarted("planner-primary", before["planner"])
    after = hub.children()
    model = (await agents(hub))["planner-primary"]["model"]

    assert {name for name in before if before[name] != after[name]} == {"planner"}
    assert model == ""


async def _stt_is(hub: Processes, state: str) -> bool:
    try:
        known = await agents(hub)
    except httpx.TransportError:
        return False
    return known.get("stt-primary", {}).get("model_state") == state
