"""Processes and networks that fail while robots converse. Engines are scripted."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from hub.restarts import MISCONFIGURED
from protocols.messages.robot import TurnBegin, TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.events import Linked, Unlinked
from robot_sim.impairment import CLEAR, Impairment
from robot_sim.proxy import FaultProxy
from robot_sim.robot import SimulatedRobot
from robot_sim.speaker import Cue
from tests.e2e.faults import full_disk, stopped
from tests.e2e.processes import SCRIPTED, START_S, Processes, command, running, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

HEALTHY_WITHIN_S = 10.0
"""I8, on a machine that has time for it:"""
STARTS = 3.0
"""on one that has not, so many times what the first start of the same processes took."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Processes]:
    async with running(tmp_path_factory.mktemp("hub"), SCRIPTED) as processes:
        began_s = time.monotonic()
        await processes.ready()
        processes.start_s = time.monotonic() - began_s
        yield processes
    assert "Traceback" not in processes.said()


def healthy_within(hub: Processes) -> asyncio.Timeout:
    """What lasts as long as I8 gives."""
    return asyncio.timeout(max(HEALTHY_WITHIN_S, STARTS * hub.start_s))


async def answered(robot: SimulatedRobot, question: str = "one two") -> TurnEnd:
    """Ask, and wait for the end of the answer."""
    robot.write(question)
    begin = await robot.next(TurnBegin, lambda begin: begin.user_text == question)
    return await robot.next(TurnEnd, lambda end: end.turn == begin.turn)


async def counted(hub: Processes, name: str) -> int:
    """What the hub has counted under ``name``."""
    async with httpx.AsyncClient(trust_env=False) as client:
        counters = (await client.get(f"{hub.url}/status")).json()["counters"]
    return int(counters.get(name, 0))


async def test_an_agent_that_hangs_is_stood_in_for_and_registers_when_it_goes_on(
    hub: Processes,
) -> None:
    (pid,) = await hub.pids_of("planner-primary")
    async with hub.robot() as robot:
        with stopped(pid):
            end = await answered(robot)
            assert await hub.pids_of("planner-primary") == []
        await hub.until_linked("planner-primary")
        assert await hub.pids_of("planner-primary") == [pid]
        await hub.ready()
        after = await answered(robot)

    assert (end.outcome, end.responder, end.fallback) == (Outcome.DONE, "reflex", "planner_down")
    assert (after.outcome, after.responder) == (Outcome.DONE, "primary")


async def test_a_hub_that_hangs_goes_on_with_agents_and_robots_when_it_wakes(
    hub: Processes,
) -> None:
    before = hub.children()
    async with hub.robot() as robot:
        first = await answered(robot)
        with stopped(before["hub"]):
            await asyncio.sleep(2.5)  # agents have given it up by now
        await hub.ready()
        async with healthy_within(hub):
            end = await answered(robot)
        epochs = [event.what.welcome.epoch for event in robot.log if isinstance(event.what, Linked)]

    assert end.outcome is Outcome.DONE
    assert end.turn > first.turn
    assert epochs == sorted(set(epochs))
    assert hub.children() == before


async def test_a_full_disk_costs_history_but_no_conversation_and_no_number_is_used_twice(
    hub: Processes,
) -> None:
    pid = hub.children()["hub"]
    unsaved = await counted(hub, "history_not_saved")
    async with SimulatedRobot(hub.url, "r5") as robot:
        epoch = (await robot.next(Linked)).welcome.epoch
        with full_disk(pid):
            end = await answered(robot)
            async with SimulatedRobot(hub.url, "r6") as stranger:
                refused = await stranger.next(Unlinked)
                await until(lambda: _grown(hub, unsaved))
        await robot.link.cut()
        back = await robot.next(Linked)
        after = await answered(robot)

    assert end.outcome is Outcome.DONE
    assert (refused.code, refused.reason) == (1011, "store_failed")
    assert back.welcome.epoch > epoch
    assert after.outcome is Outcome.DONE
    assert after.turn > end.turn
    assert hub.children()["hub"] == pid


async def _grown(hub: Processes, unsaved: int) -> bool:
    return await counted(hub, "history_not_saved") > unsaved


async def test_a_turn_gets_through_a_slow_and_shaky_network(hub: Processes) -> None:
    async with FaultProxy(hub.port) as proxy, SimulatedRobot(proxy.url, "r2") as robot:
        await robot.next(Linked)
        proxy.impair(
            Impairment(
                delay_ms=50, jitter_ms=60, stall=0.02, stall_ms=(200, 400), bytes_per_s=64_000
            )
        )
        end = await answered(robot, "one two three four five six")

    assert end.outcome is Outcome.DONE
    assert end.heard_text == end.response_text == "one two three four five six."


async def test_speech_goes_on_for_a_robot_whose_link_was_cut(hub: Processes) -> None:
    async with FaultProxy(hub.port) as proxy, SimulatedRobot(proxy.url, "r3") as robot:
        await robot.next(Linked)
        robot.write("one two three four five six")
        await robot.next(Cue)
        proxy.cut()
        await robot.next(Unlinked)
        back = await robot.next(Linked)
        end = await robot.next(TurnEnd)
        after = await answered(robot)

    assert back.welcome.resumed
    assert (end.outcome, end.turn) == (Outcome.DONE, 1)
    assert end.heard_text == end.response_text == "one two three four five six."
    assert after.outcome is Outcome.DONE


async def test_a_link_that_is_silent_for_a_while_goes_on(hub: Processes) -> None:
    async with FaultProxy(hub.port) as proxy, SimulatedRobot(proxy.url, "r4") as robot:
        await robot.next(Linked)
        robot.write("one two three four five six")
        await robot.next(Cue)
        proxy.impair(Impairment(paused=True))
        await asyncio.sleep(1)
        proxy.impair(CLEAR)
        end = await robot.next(TurnEnd)

    assert (end.outcome, end.heard_text) == (Outcome.DONE, end.response_text)
    assert not any(isinstance(event.what, Unlinked) for event in robot.log)


async def test_a_link_that_is_half_open_is_given_up_and_made_anew(hub: Processes) -> None:
    async with FaultProxy(hub.port) as proxy, SimulatedRobot(proxy.url, "r7") as robot:
        await robot.next(Linked)
        proxy.strand()
        await robot.next(Unlinked)
        await robot.next(Linked)
        end = await answered(robot)

    assert end.outcome is Outcome.DONE


async def test_a_second_hub_on_the_same_data_is_refused_in_a_sentence(
    hub: Processes, tmp_path: Path
) -> None:
    environment = {**SCRIPTED, "HUB_DATA_DIR": str(hub.data_dir), "SERVER_PORT": "0"}
    second = await command("run", cwd=tmp_path, **environment)

    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        f"robot-hub: another hub (process {hub.children()['hub']}) uses the data directory "
        f"{hub.data_dir}\n"
    )


async def test_i8_within_ten_seconds_of_the_last_fault_a_fresh_turn_is_answered(
    hub: Processes,
) -> None:
    async with hub.robot() as robot:
        robot.write("one two three four")
        await robot.next(Cue)
        for pid in hub.children().values():  # the hub and every agent
            os.kill(pid, signal.SIGKILL)
        async with healthy_within(hub):
            await robot.next(Linked, timeout_s=START_S)
            await hub.ready()
            end = await answered(robot)

    assert (end.outcome, end.responder) == (Outcome.DONE, "primary")


async def test_a_hub_that_finds_no_room_on_the_disk_is_tried_again(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"ulimit -f 0; exec {sys.executable} -m hub"),
        env={"HUB_DATA_DIR": str(data_dir), "SERVER_PORT": "0"},
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()

    assert process.returncode not in (0, MISCONFIGURED)
    (sentence,) = complaint.decode().splitlines()
    assert str(data_dir) in sentence
