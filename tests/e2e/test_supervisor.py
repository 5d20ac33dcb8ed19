"""A real robot: the light install as a process, a face on a pseudo-terminal, WAV files as devices."""

import asyncio
import re
import signal
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from os import kill
from pathlib import Path

import msgspec
import numpy as np
import pytest

from robot_sim.face_device import Shown
from robot_sim.readiness import wait_until_ready
from robot_sim.wav import write_wav
from tests.e2e.light import has, light_python
from tests.e2e.processes import SCRIPTED, Processes, command, running
from tests.integration.stack import spoken
from tests.robot_sim.pi.test_discovery import multicasts

pytestmark = pytest.mark.e2e

WITHIN_S = 60.0
MOST_KIB = 100 * 1024
ROOT = Path(__file__).parent.parent.parent


class Process:
    """A process whose lines are kept."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.beside: list[str] = []
        """Lines of another process that tell why these do not come."""
        self._came = asyncio.Event()

    async def read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(line.decode().rstrip())
            self._came.set()

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def until(self, holds: Callable[[str], bool], after: int = 0) -> int:
        """The number of the first line for which ``holds``, of those from ``after`` on."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    for number in range(after, len(self.lines)):
                        if holds(self.lines[number]):
                            return number
                    after = len(self.lines)
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            said = "\n".join([*self.lines, *self.beside])
            raise AssertionError(f"not within {WITHIN_S:g} s:\n{said}") from None

    async def ended(self) -> int:
        async with asyncio.timeout(WITHIN_S):
            return await self.process.wait()


@asynccontextmanager
async def started(*words: str | Path) -> AsyncIterator[Process]:
    async with asyncio.TaskGroup() as tasks:
        made = Process(
            await asyncio.create_subprocess_exec(
                *words,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        reader = tasks.create_task(made.read())
        try:
            yield made
        finally:
            if made.process.returncode is None:
                made.process.kill()
            await made.process.wait()
            await reader


def shows(**wanted: object) -> Callable[[str], bool]:
    def holds(line: str) -> bool:
        if not line.startswith("{"):
            return False
        shown = msgspec.json.decode(line, type=Shown)
        return all(getattr(shown, name) == value for name, value in wanted.items())

    return holds


def says(text: str) -> Callable[[str], bool]:
    return lambda line: text in line


async def kill_hub(hub: Processes) -> None:
    """The hub process dies; what keeps it running starts another."""
    kill(hub.children()["hub"], signal.SIGKILL)


def most_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


async def paired(robot: Process, hub: Processes, folder: Path, token: str) -> None:
    """Type the code that the robot shows."""
    number = await robot.until(says("pairing code"))
    code = re.search(r"\d{6}", robot.lines[number])
    assert code is not None
    wrong = f"{(int(code[0]) + 1) % 10**6:06}"
    for typed, outcome in ((wrong, 2), (code[0], 0)):
        done = await command("pair", typed, "--hub", hub.url, cwd=folder, HUB_TOKEN=token)
        assert done.returncode == outcome, done.stderr
    await robot.until(says("paired with hub"))


async def test_a_robot_of_the_light_install_is_paired_and_converses_whatever_fails(
    tmp_path: Path,
) -> None:
    python = light_python(tmp_path)
    assert not any(has(python, name) for name in ("pydantic", "typer", "fastapi", "onnxruntime"))
    port, said, mic = tmp_path / "face", tmp_path / "said.wav", tmp_path / "mic.wav"
    write_wav(mic, spoken("hello robot", 400))
    data = {"HUB_DATA_DIR": str(tmp_path / "data")}
    token = (
        await command("tokens", "add", "--scope", "admin", cwd=tmp_path, **data)
    ).stdout.strip()
    device = (sys.executable, "-m", "robot_sim.face_device", "--link", port)
    async with (
        running(tmp_path, {**SCRIPTED, "HUB_ANNOUNCE": "1"}) as hub,
        started(*device) as face,
    ):
        await wait_until_ready(hub.url, lambda _: None, token)
        order = ("supervisor", "--robot-id", "pi", "--hub", hub.url.replace("http", "ws"))
        files = ("--state-dir", tmp_path / "state", "--mic", mic, "--speaker", said)
        more = ("--mic-again", "0.5", "--face-port", port, "--aec", "device", "--verbose")
        async with started(python, "-m", "robot_sim.pi", *order, *files, *more) as robot:
            face.beside = robot.lines
            await paired(robot, hub, tmp_path, token)
            talked = await face.until(shows(talking=True, mood="happy", version=2))

            await kill_hub(hub)
            gone = await robot.until(says("connection gone"), after=len(robot.lines) - 2)
            await robot.until(says("connected to hub"), after=gone)
            talked = await face.until(shows(talking=True), after=len(face.lines))

            face.say("restart")
            anew = await face.until(shows(starts=2, version=1), after=talked)
            await face.until(shows(starts=2, version=2, mood="happy"), after=anew)
            talked = await face.until(shows(starts=2, talking=True), after=anew)
            closed = await face.until(shows(starts=2, talking=False), after=talked)

            face.say("tap ptt")
            pressed = await face.until(shows(listening=True), after=closed)
            face.say("tap ptt")  # what was said while it was held is answered
            let_go = await face.until(shows(listening=False), after=pressed)
            await face.until(shows(talking=True), after=let_go)

            memory_kib = most_kib(robot.process.pid)
            robot.process.terminate()
            assert await robot.ended() == 0, robot.lines

        # Without an address it finds the hub that it is paired with, and is let in at once.
        anew = ("supervisor", "--robot-id", "pi", "--state-dir", tmp_path / "state")
        if multicasts():
            async with started(
                python, "-m", "robot_sim.pi", *anew, "--mic", "none", "--speaker", "none"
            ) as found:
                await found.until(says(f"found at ws://127.0.0.1:{hub.port}"))
                await found.until(says("connected to hub"))
        face.say("quit")
        assert await face.ended() == 0
    assert memory_kib < MOST_KIB
    with wave.open(str(said)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert int((abs(sound) > 1_000).sum()) > 8_000
    assert not any("is not installed" in line for line in robot.lines)
    assert not any("hello" in line for line in robot.lines)  # what people say is in no log


async def test_a_robot_without_a_hub_ends_when_told(tmp_path: Path) -> None:
    command_ = (sys.executable, "-m", "robot_sim.pi", "supervisor", "--robot-id", "pi")
    nowhere = ("--hub", "ws://127.0.0.1:9", "--state-dir", tmp_path, "--mic", "none")
    async with started(*command_, *nowhere, "--speaker", "none") as robot:
        await robot.until(says("connection gone"))
        robot.process.terminate()
        assert await robot.ended() == 0


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (("--robot-id", "a b"), "robot_id"),
        (("--robot-id", "pi", "--mic", "missing.wav"), "no recording missing.wav"),
        (
            ("--robot-id", "pi", "--mic", "none", "--speaker", "none", "--camera", "no-such"),
            "no-such",
        ),
    ],
)
async def test_what_cannot_be_is_said_in_one_sentence(
    order: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    words = (sys.executable, "-m", "hub.cli", "supervisor", *order, "--state-dir", tmp_path)
    async with started(*words) as robot:
        assert await robot.ended() == 2
        await robot.until(says(reason))
    assert len(robot.lines) == 1
