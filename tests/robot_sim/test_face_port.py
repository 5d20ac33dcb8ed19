"""The port of a face on real pseudo-terminals: opened, lost, found again."""

import asyncio
import os
import sys
import tty
from pathlib import Path

import pytest

from robot_sim import face_port
from robot_sim.errors import NoFacePort
from robot_sim.face_port import OUT_BYTES, SerialPort

PATIENCE_S = 10.0


class User:
    """Keeps what the port reports."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.silent = False

    def face_opened(self) -> None:
        self.told.put_nowait("opened")

    def face_received(self, data: bytes) -> None:
        self.told.put_nowait(data)

    def face_closed(self) -> None:
        self.told.put_nowait("closed")

    def face_silent(self) -> bool:
        return self.silent

    async def next(self) -> str | bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.told.get()


class Line:
    """A pseudo-terminal whose host's end has a name that stays."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))

    def read(self) -> bytes:
        return os.read(self.master, 4_096)

    def unplug(self) -> None:
        self.link.unlink()
        os.close(self._slave)
        os.close(self.master)


async def test_bytes_go_both_ways_and_a_line_that_is_plugged_in_again_is_opened_again(
    tmp_path: Path,
) -> None:
    line, user = Line(tmp_path / "face"), User()
    port = SerialPort(str(line.link))
    port.write(b"nobody hears this")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(port.run(user))
        assert await user.next() == "opened"
        os.write(line.master, b"from the face")
        assert await user.next() == b"from the face"
        port.write(b"to the face")
        assert await asyncio.to_thread(line.read) == b"to the face"
        line.unplug()
        assert await user.next() == "closed"
        again = Line(tmp_path / "face")
        assert await user.next() == "opened"
        running.cancel()
    again.unplug()
    assert port.counters["port.unwritten"] == len(b"nobody hears this")
    assert port.counters["port.opened"] == 2


async def test_a_port_that_is_not_there_is_waited_for_and_complained_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_port, "FIRST_RETRY_S", 0.01)
    told: list[str] = []
    user, port = User(), SerialPort(str(tmp_path / "face"), told.append)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(port.run(user))
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if port.counters["port.failed"] >= 3:
                    break
                await asyncio.sleep(0.01)
        line = Line(tmp_path / "face")
        assert await user.next() == "opened"
        running.cancel()
    line.unplug()
    assert sum("cannot be opened" in text for text in told) == 1


async def test_a_port_that_takes_nothing_is_opened_anew(tmp_path: Path) -> None:
    line, user = Line(tmp_path / "face"), User()
    port = SerialPort(str(line.link))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(port.run(user))
        assert await user.next() == "opened"
        for _ in range(200):  # nobody reads: the line's own buffer is full first
            port.write(bytes(OUT_BYTES // 4))
        assert await user.next() == "closed"
        running.cancel()
    line.unplug()
    assert port.counters["port.stuck"] == 1


async def test_a_face_that_says_nothing_has_its_port_opened_anew(tmp_path: Path) -> None:
    line, user = Line(tmp_path / "face"), User()
    port = SerialPort(str(line.link))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(port.run(user))
        assert await user.next() == "opened"
        user.silent = True
        assert await user.next() == "closed"
        user.silent = False
        assert await user.next() == "opened"
        running.cancel()
    line.unplug()
    assert port.counters["port.silent"] == 1


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(NoFacePort, match=r"install robot-hub\[supervisor\]"):
        SerialPort("x")
