"""A hub and its agents as the processes that ``robot-hub run`` starts."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from hub.settings import KNOWN_NAMES
from robot_sim.events import Linked
from robot_sim.readiness import wait_until_ready
from robot_sim.robot import RobotOptions, SimulatedRobot

START_S = 60.0
STOP_S = 20.0
GONE_S = 20.0
_POLL_S = 0.02

CONVERSATION = "ears,stt,planner,planner:reflex,tts"
"""The agents that a conversation needs; vision and memory take a second more to start."""
SCRIPTED: Mapping[str, str] = {
    "HUB_AGENTS": CONVERSATION,
    **{f"{agent}_BACKEND": "scripted" for agent in ("EARS", "STT", "LLM", "TTS")},
}
"""Engines that need no loading and answer at once."""
EMBEDDED: Mapping[str, str] = {
    "HUB_AGENTS": CONVERSATION,
    "EARS_TURN_MODEL": "none",
    "STT_BACKEND": "pocketsphinx",
    "LLM_BACKEND": "auto",
    "OLLAMA_URL": "http://127.0.0.1:9",
    "TTS_BACKEND": "espeak",
    "TTS_RATE_WPM": "300",
}
"""What every installation has. The robot talks fast, since nobody has to understand it."""


class Processes:
    """A hub that runs, by the process ids of its parts."""

    def __init__(self, supervisor: asyncio.subprocess.Process, port: int, folder: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.supervisor = supervisor
        self.log = folder / "hub.log"
        self.data_dir = folder / "data"
        self.start_s = 0.0
        """How long it took to get ready, if somebody has measured it."""

    async def ready(self) -> None:
        """Return once every agent takes work."""
        await wait_until_ready(self.url, lambda _: None, timeout_s=START_S)

    async def draining(self) -> None:
        """Return once the hub says that it takes nothing new."""

        async def says_so() -> bool:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"{self.url}/readyz")
            return answer.status_code == 503 and bool(answer.json()["draining"])

        await until(says_so)

    async def pids_of(self, agent: str) -> list[int]:
        """Process ids of the agents ``kind-role`` that are linked now."""
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                linked = (await client.get(f"{self.url}/status")).json()["agents"]
            except httpx.TransportError:
                return []  # the hub itself is starting
        names = (name.rpartition("-") for name in linked)
        return [int(pid) for name, _, pid in names if name == agent]

    async def until_linked(self, agent: str) -> None:
        """Return once an ``agent`` is linked."""
        await until(lambda: self._is_linked(agent))

    async def restarted(self, agent: str, was: int) -> None:
        """Return once another process serves as ``agent``, and all others do."""
        await until(lambda: self._is_linked(agent, was))
        await self.ready()

    async def _is_linked(self, agent: str, was: int = 0) -> bool:
        return await self.pids_of(agent) not in ([], [was])

    def children(self) -> dict[str, int]:
        """Process ids of what the supervisor keeps running now, by its names for them: ``hub``,
        and agents as ``kind`` or ``kind:role``."""
        found = {}
        for pid in descendants(self.supervisor.pid):
            with suppress(OSError):
                if (name := _child_name(Path(f"/proc/{pid}"))) is not None:
                    found[name] = pid
        return found

    def all_pids(self) -> set[int]:
        """The supervisor, its children, and theirs."""
        return descendants(self.supervisor.pid) | {self.supervisor.pid}

    async def ended(self) -> int:
        """The exit code, once there is one."""
        async with asyncio.timeout(STOP_S):
            return await self.supervisor.wait()

    def said(self) -> str:
        """All output so far."""
        return self.log.read_text("utf-8", "replace")

    @asynccontextmanager
    async def robot(
        self, robot_id: str = "r1", options: RobotOptions | None = None
    ) -> AsyncIterator[SimulatedRobot]:
        """A simulated robot that is connected."""
        async with SimulatedRobot(self.url, robot_id, options) as robot:
            await robot.next(Linked)
            yield robot


def _child_name(process: Path) -> str | None:
    words = (process / "cmdline").read_bytes().split(b"\0")[:-1]
    if words[1:] == [b"-m", b"hub"]:
        return "hub"
    if len(words) != 3 or not words[2].startswith(b"agents."):
        return None
    kind = words[2].decode().removeprefix("agents.")
    role = "HUB_AGENT_ROLE="
    given = (process / "environ").read_bytes().decode(errors="replace").split("\0")
    roles = [line.removeprefix(role) for line in given if line.startswith(role)]
    return f"{kind}:{roles[0]}" if roles else kind


def descendants(pid: int) -> set[int]:
    """Every process that ``pid`` started, directly or not."""
    found: set[int] = set()
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found |= {int(child)} | descendants(int(child))
    return found


async def alive(pids: set[int]) -> set[int]:
    """Those of ``pids`` that do not go within a moment."""

    async def all_gone() -> bool:
        return not any(map(_is_alive, pids))

    with suppress(TimeoutError):
        await until(all_gone, GONE_S)
    return {pid for pid in pids if _is_alive(pid)}


async def until(holds: Callable[[], Awaitable[bool]], timeout_s: float = START_S) -> None:
    """Return once ``holds`` does; nothing tells when another process is where it should be."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await holds():
                return
            await asyncio.sleep(_POLL_S)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


@asynccontextmanager
async def running(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Processes]:
    """``robot-hub run`` with its data and log in ``folder``, not ready yet; whatever it has
    started is gone afterwards, or the test fails."""
    port = free_port()
    given = {"HUB_DATA_DIR": str(folder / "data"), "SERVER_PORT": str(port)}
    with (folder / "hub.log").open("wb") as sink:
        supervisor = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub.cli", "run",
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**_clean(), **given, **environment},
        )  # fmt: skip
    processes = Processes(supervisor, port, folder)
    started: set[int] = set()
    try:
        yield processes
    finally:
        started |= processes.all_pids()
        if supervisor.returncode is None:
            supervisor.terminate()
        await processes.ended()
    left = await alive(started)
    assert not left, f"processes {left} outlive their hub:\n{processes.said()}"


def _clean() -> dict[str, str]:
    """This process's environment without settings of a hub."""
    return {n: v for n, v in os.environ.items() if n not in KNOWN_NAMES}  # noqa: TID251


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def command(
    *arguments: str, cwd: Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run ``robot-hub`` with ``arguments``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.cli", *arguments,
        cwd=cwd,
        env={**_clean(), "COLUMNS": "200", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(START_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return subprocess.CompletedProcess(arguments, process.returncode, out.decode(), err.decode())
