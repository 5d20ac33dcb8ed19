"""The proxy that makes a network bad, over real sockets of this machine."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from robot_sim.impairment import CLEAR, Impairment
from robot_sim.proxy import End, FaultProxy

PATIENCE_S = 10.0


class Party:
    """One end of a connection, with everything that came out of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def receive(self, count: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readexactly(count)

    async def end(self) -> str:
        """How this connection ends: ``fin`` or ``reset``."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._reader.read()
        except ConnectionResetError:
            return "reset"
        return "fin"


class Listener:
    """A hub of which only the door is there."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Party] = asyncio.Queue()

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrived.put_nowait(Party(reader, writer))

    async def next(self) -> Party:
        async with asyncio.timeout(PATIENCE_S):
            return await self.arrived.get()


class Path:
    """A proxy between a listener and whoever connects."""

    def __init__(self, proxy: FaultProxy, listener: Listener) -> None:
        self.proxy = proxy
        self._listener = listener
        self.parties: list[Party] = []

    async def connect(self) -> tuple[Party, Party]:
        """A robot and its hub."""
        made = self.proxy.counters["connections"]
        robot = Party(*await asyncio.open_connection("127.0.0.1", self.proxy.port))
        hub = await self._listener.next()
        await self.until(lambda: self.proxy.counters["connections"] > made)
        self.parties += [robot, hub]
        return robot, hub

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - the proxy tells nobody what it counts
                await asyncio.sleep(0.001)


@asynccontextmanager
async def a_path(seed: int = 1) -> AsyncIterator[Path]:
    listener = Listener()
    server = await asyncio.start_server(listener, "127.0.0.1", 0)
    async with server, FaultProxy(server.sockets[0].getsockname()[1], seed=seed) as proxy:
        path = Path(proxy, listener)
        try:
            yield path
        finally:
            for party in path.parties:
                party.writer.transport.abort()


async def test_what_enters_comes_out_on_either_side_for_every_connection() -> None:
    async with a_path() as path:
        pairs = [await path.connect() for _ in range(3)]
        for number, (robot, hub) in enumerate(pairs):
            robot.send(b"up %d" % number)
            hub.send(b"down %d" % number)

        for number, (robot, hub) in enumerate(pairs):
            assert await hub.receive(4) == b"up %d" % number
            assert await robot.receive(6) == b"down %d" % number
        assert path.proxy.counters["connections"] == 3
        assert path.proxy.counters["bytes_to_hub"] == 12


async def test_an_end_that_is_finished_may_still_listen() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        robot.send(b"all")
        robot.writer.write_eof()
        assert await hub.end() == "fin"

        hub.send(b"heard")
        assert await robot.receive(5) == b"heard"
        hub.writer.close()
        assert await robot.end() == "fin"
        await path.until(lambda: path.proxy.connections == 0)


async def test_bytes_keep_their_order_through_jitter_and_stalls() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        path.proxy.impair(Impairment(jitter_ms=3, stall=0.05, stall_ms=(5, 20)), (End.HUB,))
        sent = bytes(range(256)) * 40
        for at in range(0, len(sent), 64):
            robot.send(sent[at : at + 64])
            await asyncio.sleep(0)

        assert await hub.receive(len(sent)) == sent


async def test_a_paused_link_delivers_when_it_goes_on() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        path.proxy.impair(Impairment(paused=True), (End.HUB,))
        robot.send(b"late")
        hub.send(b"now")
        assert await robot.receive(3) == b"now"
        assert path.proxy.counters["bytes_to_hub"] == 0

        path.proxy.impair(CLEAR)
        assert await hub.receive(4) == b"late"


async def test_who_is_not_read_is_held_back_and_loses_nothing() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        path.proxy.impair(Impairment(paused=True), (End.HUB,))
        robot.send(bytes(20_000_000))  # more than the kernel's buffers on the way can take
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await robot.writer.drain()

        path.proxy.impair(CLEAR)
        assert await hub.receive(20_000_000) == bytes(20_000_000)


@pytest.mark.parametrize(("reset", "expected"), [(True, "reset"), (False, "fin")])
async def test_a_cut_ends_both_sides_and_a_new_connection_works(reset: bool, expected: str) -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        path.proxy.cut(reset=reset)
        assert await robot.end() == expected
        assert await hub.end() == expected

        again, hub = await path.connect()
        again.send(b"back")
        assert await hub.receive(4) == b"back"


async def test_a_cut_towards_one_end_leaves_the_other_in_the_dark() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        path.proxy.cut((End.ROBOT,))
        assert await robot.end() == "reset"

        hub.send(b"into nothing")
        await path.until(lambda: path.proxy.counters["stranded_bytes"] == 12)
        hub.writer.close()
        await path.until(lambda: path.proxy.connections == 0)


async def test_a_half_open_connection_swallows_everything_and_tells_nobody() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        path.proxy.strand()
        robot.send(b"lost")
        hub.send(b"lost too")
        await path.until(lambda: path.proxy.counters["stranded_bytes"] == 12)
        robot.writer.close()

        other, hub_again = await path.connect()
        other.send(b"new")
        assert await hub_again.receive(3) == b"new"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await hub.end()


async def test_what_waits_in_a_paused_link_is_gone_once_it_is_cut() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        path.proxy.impair(Impairment(paused=True))
        robot.send(bytes(1_000_000))
        await asyncio.sleep(0.01)
        path.proxy.cut()
        assert await hub.end() == "reset"
        await path.until(lambda: path.proxy.connections == 0)


async def test_a_reset_of_one_end_resets_the_other() -> None:
    async with a_path() as path:
        robot, hub = await path.connect()
        owned = robot.writer.get_extra_info("socket")
        owned.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        robot.writer.transport.abort()
        assert await hub.end() == "reset"


async def test_nobody_gets_in_while_it_does_not_accept() -> None:
    async with a_path() as path:
        path.proxy.accepting = False
        reader, writer = await asyncio.open_connection("127.0.0.1", path.proxy.port)
        assert await Party(reader, writer).end() == "reset"
        assert path.proxy.counters["refused"] == 1
        writer.close()


async def test_a_hub_that_is_not_there_is_a_reset() -> None:
    async with FaultProxy(1) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await Party(reader, writer).end() == "reset"
        assert proxy.counters["unreachable"] == 1
        writer.close()
