"""``robot-hub start``, ``stop``, ``restart``, ``status``, ``logs``: real processes that outlive the
commands, and are gone when they should be."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub import pidfile
from hub.commands.service import alive as answers
from hub.log_file import FILE as LOG_FILE
from hub.log_file import history
from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.events import Linked
from robot_sim.robot import SimulatedRobot
from robot_sim.speaker import Cue
from tests.e2e.processes import SCRIPTED, alive, command, descendants, free_port, until

pytestmark = pytest.mark.e2e

NOT_RUNNING, SILENT, CANNOT = 3, 1, 2
LONG = "one two three four five six seven eight nine ten"


@dataclass
class Service:
    """A hub as its user runs it from a shell."""

    folder: Path
    port: int

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(
        self, *words: str, cwd: Path | None = None, **more: str
    ) -> "subprocess.CompletedProcess[str]":
        """``robot-hub`` with ``words``."""
        given = {"HUB_DATA_DIR": str(self.data_dir), "SERVER_PORT": str(self.port)}
        return await command(*words, cwd=cwd or self.folder, **{**SCRIPTED, **given, **more})

    def supervisor(self) -> int:
        record = pidfile.running(self.data_dir)
        assert record is not None
        return record.pid


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Service]:
    """Nothing of it is left afterwards, whatever the test did."""
    service = Service(tmp_path, free_port())
    yield service
    record = pidfile.running(service.data_dir)
    if record is not None:
        left = descendants(record.pid) | {record.pid}
        os.kill(record.pid, signal.SIGKILL)  # the leash takes its children along
        assert await alive(left) == set()


def sentence(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == CANNOT, result
    assert result.stderr.startswith("robot-hub: ")
    return result.stderr


async def test_a_hub_is_started_seen_and_stopped_from_the_command_line(hub: Service) -> None:
    assert (await hub("status")).returncode == NOT_RUNNING

    started = await hub("start")
    assert started.returncode == 0, started.stderr
    pid = hub.supervisor()
    assert f"Robot Hub runs at {hub.url}: process {pid}" in started.stdout
    assert answers(hub.url)
    family = descendants(pid) | {pid}

    again = await hub("start")
    assert (again.returncode, hub.supervisor()) == (0, pid)
    assert "runs already" in again.stdout

    status = await hub("status")
    assert status.returncode == 0
    assert re.search(rf"runs for 0:\d\d:\d\d .* as process {pid}", status.stdout)
    assert "planner-reflex" in status.stdout

    stopped = await hub("stop")
    assert (stopped.returncode, stopped.stdout) == (0, f"process {pid} has ended\n")
    assert await alive(family) == set()
    assert (await hub("status")).returncode == NOT_RUNNING
    assert (await hub("stop")).stdout == "Robot Hub is not running\n"


async def test_stop_lets_a_turn_end_and_stop_now_does_not(hub: Service) -> None:
    for words, outcome in ((("stop",), Outcome.DONE), (("stop", "--now"), None)):
        await hub("start")
        await until(lambda: _ready(hub))
        async with SimulatedRobot(hub.url, "r1") as robot:
            await robot.next(Linked)
            robot.write(LONG)
            await robot.next(Cue)
            async with asyncio.TaskGroup() as tasks:
                stopping = tasks.create_task(hub(*words))
                if outcome is not None:
                    end = await robot.next(TurnEnd, timeout_s=30)
                    assert (end.outcome, end.heard_text) == (outcome, f"{LONG}.")
            assert stopping.result().returncode == 0
        assert pidfile.running(hub.data_dir) is None


async def _ready(hub: Service) -> bool:
    return ": ready" in (await hub("status")).stdout


async def test_restart_keeps_the_command_line_and_the_working_directory(hub: Service) -> None:
    here, elsewhere = hub.folder / "here", hub.folder / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    (here / ".env").write_text("MAX_ACTIONS=3\n")
    other = str(free_port())
    await hub("start", "--port", other, cwd=here)
    before = pidfile.running(hub.data_dir)

    restarted = await hub("restart", cwd=elsewhere)

    after = pidfile.running(hub.data_dir)
    assert before is not None
    assert after is not None
    assert restarted.returncode == 0, restarted.stderr
    assert before.pid != after.pid
    assert (after.url, after.cwd) == (f"http://127.0.0.1:{other}", str(here))
    seen = await hub("settings", cwd=elsewhere)
    assert re.search(rf"SERVER_PORT .* {other} .* command line", seen.stdout)


async def test_a_start_that_cannot_be_says_why_in_one_sentence(hub: Service) -> None:
    with socket.create_server(("127.0.0.1", hub.port)):
        busy = await hub("start")
    nowhere = await hub("start", SERVER_PORT="0")

    assert sentence(busy) == (
        f"robot-hub: port {hub.port} of 127.0.0.1 is in use by another program\n"
    )
    assert "say which one" in sentence(nowhere)
    assert pidfile.running(hub.data_dir) is None


async def test_a_hub_that_ends_at_once_shows_its_last_words(hub: Service) -> None:
    (hub.data_dir).mkdir(mode=0o700)
    (hub.data_dir / "bus").write_text("in the way of the bus's directory")

    failed = await hub("start")

    assert "the hub ended with exit code 2; it said:" in sentence(failed)
    assert len(failed.stderr.splitlines()) > 1
    assert "Traceback" not in failed.stderr
    assert pidfile.running(hub.data_dir) is None


async def test_no_process_is_stopped_that_only_has_the_number(hub: Service) -> None:
    await hub("start")
    pid = hub.supervisor()
    family = descendants(pid) | {pid}
    text = (hub.data_dir / pidfile.FILE).read_text()
    os.kill(pid, signal.SIGKILL)
    assert await alive(family) == set()
    bystander = await asyncio.create_subprocess_exec("sleep", "60")
    (hub.data_dir / pidfile.FILE).write_text(text.replace(str(pid), str(bystander.pid)))

    stopped = await hub("stop")

    assert stopped.stdout == "Robot Hub is not running\n"
    assert bystander.returncode is None
    bystander.terminate()
    await bystander.wait()


async def test_a_hub_that_hangs_is_seen_as_one_and_started_again_after_a_crash(
    hub: Service,
) -> None:
    await hub("start")
    await until(lambda: _ready(hub))
    (child,) = (pid for pid in descendants(hub.supervisor()) if _is_hub(pid))

    os.kill(child, signal.SIGSTOP)
    hangs = await hub("status")
    assert hangs.returncode == SILENT
    assert "and no hub answers at" in " ".join(hangs.stdout.split())

    os.kill(child, signal.SIGKILL)
    await until(lambda: _ready(hub))
    ill = await hub("health")
    assert "started again: hub 1 times" in ill.stdout
    assert ill.returncode == 0, ill.stdout


async def test_logs_are_in_a_bounded_file_and_can_be_followed(hub: Service) -> None:
    none = await hub("logs")
    assert "there is no log" in sentence(none)

    await hub("start", LOG_FORMAT="json", LOG_LEVEL="debug", HUB_LOG_MAX_MIB="1")
    await until(lambda: _ready(hub))
    follower = await asyncio.create_subprocess_exec(
        *_command("logs", "-n", "0", "-f"),
        cwd=hub.folder,
        env={**os.environ, "HUB_DATA_DIR": str(hub.data_dir)},  # noqa: TID251
        stdout=subprocess.PIPE,
    )
    assert follower.stdout is not None
    async with asyncio.timeout(30):
        while True:
            await asyncio.to_thread(answers, hub.url)  # a line each, once it follows
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    line = await follower.stdout.readline()
                    break
    follower.send_signal(signal.SIGINT)
    assert await follower.wait() == 0

    assert b'"event": "request"' in line
    last = (await hub("logs", "-n", "3")).stdout.splitlines()
    assert len(last) == 3
    assert all(line.startswith("{") for line in last)
    assert history(hub.data_dir / LOG_FILE) == [hub.data_dir / LOG_FILE]


def _is_hub(pid: int) -> bool:
    return _said_of(pid, "cmdline").split(b"\0")[1:3] == [b"-m", b"hub"]


def _said_of(pid: int, file: str) -> bytes:
    return Path(f"/proc/{pid}/{file}").read_bytes()


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "hub.cli", *words)


async def test_a_service_manager_is_told_when_the_hub_is_ready_alive_and_leaving(
    hub: Service,
) -> None:
    address = str(hub.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(60)
        process = await asyncio.create_subprocess_exec(
            *_command("run"),
            cwd=hub.folder,
            env={
                **os.environ,  # noqa: TID251
                **SCRIPTED,
                "HUB_DATA_DIR": str(hub.data_dir),
                "SERVER_PORT": str(hub.port),
                "NOTIFY_SOCKET": address,
                "WATCHDOG_USEC": "3000000",
            },
            stderr=subprocess.DEVNULL,
        )

        async def heard(what: str) -> str:
            while True:
                message = (await asyncio.to_thread(manager.recv, 4096)).decode()
                if what in message:
                    return message

        assert await heard("READY=1") == "READY=1"
        assert answers(hub.url)
        await heard("WATCHDOG=1")
        await heard("WATCHDOG=1")
        children = descendants(process.pid)
        assert not any(b"NOTIFY_SOCKET" in _said_of(pid, "environ") for pid in children)
        process.terminate()
        assert await heard("STOPPING=1") == "STOPPING=1\nSTATUS=stopping"
        assert await process.wait() == 0
