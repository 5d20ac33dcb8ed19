"""What the service manager is told, by its own protocol over a real socket."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.notify import Notifier, is_alive, report, without_manager
from tests.virtual_time import virtual


class Manager:
    """Listens like a service manager."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        """Every line since the last time."""
        lines = []
        with suppress(BlockingIOError):
            while True:
                lines += self._socket.recv(4096).decode().split("\n")
        return lines

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    named = f"@robot-hub-{tmp_path.name}" if request.param == "abstract" else f"{tmp_path}/notify"
    listening = Manager(named)
    yield listening
    listening.close()


class Hub:
    """Answers as its script says, the last word of it for ever; ``asked`` counts."""

    def __init__(self, *script: bool) -> None:
        self._script = list(script)
        self.asked = 0

    async def answers(self) -> bool:
        self.asked += 1
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]


async def reported(notifier: Notifier, hub: Hub, for_s: float) -> list[str]:
    """What is said aloud while the hub is reported on for so long."""
    said: list[str] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(for_s):
            await report(notifier, hub.answers, "http://hub", lambda _, line: said.append(line))
    return said


@virtual
async def test_ready_is_said_once_the_hub_answers_and_not_before(manager: Manager) -> None:
    notifier = Notifier(manager.address, watchdog_s=30)

    await reported(notifier, Hub(False), 5)
    assert manager.heard() == []

    await reported(notifier, Hub(False, False, True), 5)
    assert manager.heard() == ["READY=1", "WATCHDOG=1", "STATUS=serving at http://hub"]


@virtual
async def test_the_watchdog_gets_three_beats_in_its_time(manager: Manager) -> None:
    await reported(Notifier(manager.address, watchdog_s=30), Hub(True), 29)

    assert manager.heard().count("WATCHDOG=1") == 3


@virtual
async def test_a_hub_that_does_not_answer_gets_no_beat_and_is_talked_about_once(
    manager: Manager,
) -> None:
    hub = Hub(True, True, False, False, False, True)

    said = await reported(Notifier(manager.address, watchdog_s=30), hub, 45)

    assert manager.heard() == [
        "READY=1",
        "WATCHDOG=1",
        "STATUS=serving at http://hub",
        "STATUS=the hub does not answer at http://hub",
        "WATCHDOG=1",
        "STATUS=serving at http://hub",
    ]
    assert said.count("the hub does not answer at http://hub") == 1


@virtual
async def test_where_nobody_listens_the_hub_is_not_even_asked() -> None:
    hub = Hub(True)

    await reported(Notifier.of({}, pid=7), hub, 60)

    assert hub.asked == 0


@virtual
async def test_a_manager_that_is_gone_is_not_missed(tmp_path: Path) -> None:
    hub = Hub(True)

    await reported(Notifier(f"{tmp_path}/nobody"), hub, 60)

    assert hub.asked > 1


def test_the_watchdog_is_for_the_process_that_it_names() -> None:
    said = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}

    assert Notifier.of(said, pid=7).watchdog_s == 30
    assert Notifier.of(said, pid=8).watchdog_s == 0
    assert Notifier.of({"NOTIFY_SOCKET": "/run/x"}, pid=7).watchdog_s == 0


def test_children_do_not_hear_of_the_manager() -> None:
    said = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "7", "A": "1"}

    assert without_manager(said) == {"A": "1"}


@pytest.mark.parametrize(
    ("answer", "alive"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n{}", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"SSH-2.0\r\n", False),
        (b"", False),
    ],
)
async def test_only_a_server_that_says_ok_is_alive(answer: bytes, alive: bool) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        assert await is_alive(f"http://127.0.0.1:{port}") is alive

    assert asked[0].startswith(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_nobody_there_is_not_alive() -> None:
    assert not await is_alive("http://127.0.0.1:9")
