"""Trials as processes: engines that print, crash, hang or will not go."""

import os
import sys
from pathlib import Path

import pytest

from hub.commands.trying import command_of, watched
from hub.trials import Ended, Trial
from protocols.trial import Stage, TrialStep

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, os, signal, subprocess, sys, time
from agents.runtime.process import Agent, run_agent
from agents.runtime.settings import AgentSettings
from protocols.messages.agent import AgentKind

class Engine:
    name = "made up"
    async def start(self):
        {start}
    async def close(self):
        {close}

def build(settings):
    {build}
    return Agent(Engine(), (), capacity=1)

run_agent(AgentKind.MEMORY, AgentSettings, build)
"""
ENDLESS = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"


def tried(
    tmp_path: Path,
    limit_s: float = 30.0,
    *,
    build: str = "pass",
    start: str = "pass",
    close: str = "pass",
) -> tuple[Ended, list[TrialStep]]:
    program = PROGRAM.format(build=build, start=start, close=close)
    environment = {"PYTHONPATH": str(ROOT), "HUB_BUS_DIR": str(tmp_path), "HUB_LOG_LEVEL": "ERROR"}
    steps: list[TrialStep] = []
    command = (sys.executable, "-c", program, "--try")
    return watched(command, environment, limit_s, steps.append), steps


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def test_an_engine_that_works_reports_and_leaves(tmp_path: Path) -> None:
    ended, steps = tried(tmp_path)

    assert ended.report is not None
    assert (ended.report.stage, ended.report.backend) == (Stage.DONE, "made up")
    assert (ended.status, ended.last_words) == (0, "")
    assert [step.stage for step in steps] == [Stage.LOAD]


def test_what_an_engine_prints_is_not_taken_for_its_report(tmp_path: Path) -> None:
    lie = """print('{"type":"report","stage":"load"}', flush=True); os.system("echo hello")"""

    ended, _ = tried(tmp_path, build=lie, start=lie)

    assert ended.report is not None
    assert ended.report.stage is Stage.DONE


def test_settings_that_cannot_be_read_are_a_report(tmp_path: Path) -> None:
    program = PROGRAM.format(build="pass", start="pass", close="pass")

    ended = watched(
        (sys.executable, "-c", program, "--try"), {"PYTHONPATH": str(ROOT)}, 30.0, lambda step: None
    )

    assert ended.report is not None
    assert ended.report.stage is Stage.SETTINGS
    assert ended.report.error == "HUB_BUS_DIR is not set"


def test_a_bug_of_an_engine_is_a_report(tmp_path: Path) -> None:
    ended, _ = tried(tmp_path, start="1 / 0")

    assert ended.report is not None
    assert (ended.report.stage, ended.report.code) == (Stage.LOAD, "crashed")
    assert ended.report.error == "ZeroDivisionError: division by zero"
    assert ended.status == 1


def test_a_crash_of_an_engine_ends_its_process_and_nothing_else(tmp_path: Path) -> None:
    dying = "sys.stderr.write('out of cheese\\n'); sys.stderr.flush(); os.kill(os.getpid(), 9)"

    ended, _ = tried(tmp_path, start=dying)

    assert ended == Ended(None, TrialStep(stage=Stage.LOAD), -9, "out of cheese")


def test_an_engine_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hanging = (
        f"child = {ENDLESS}; "
        f"open({str(pids)!r}, 'w').write(str(os.getpid()) + ' ' + str(child.pid)); time.sleep(600)"
    )

    ended, steps = tried(tmp_path, 5.0, start=hanging)

    assert (ended.report, ended.status) == (None, None)
    assert ended.last_step == steps[-1] == TrialStep(stage=Stage.LOAD)
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 2
    assert not any(map(is_alive, started))


def test_a_report_counts_though_the_engine_cannot_be_freed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.commands.trying.LEAVING_S", 0.2)

    ended, _ = tried(tmp_path, close=f"{ENDLESS}; time.sleep(600)")

    assert ended.report is not None
    assert ended.report.stage is Stage.DONE
    assert ended.status is None


def test_the_command_is_the_agent_itself_with_a_recording() -> None:
    command = command_of(Trial("planner:reflex", "", "reflex"), Path("hello.wav"))

    assert command == (sys.executable, "-m", "agents.planner", "--try", "hello.wav")
    assert os.access(command[0], os.X_OK)
