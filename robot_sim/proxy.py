"""A TCP proxy that makes a network bad on purpose, to stand between robots and their hub.

What it does to either direction is an ``Impairment``, which may be exchanged at any time; ``cut``
and ``strand`` end connections as radio links and middleboxes do. What waits inside is bounded: a
reader that is slow holds back its writer, as on a real path.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Self

from robot_sim.impairment import CLEAR, Impairment, Timetable

_SEGMENT_BYTES = 4_096
_SEGMENTS = 64
"""So many wait in each direction of a connection: a quarter of a megabyte."""
_AT_ONCE = struct.pack("ii", 1, 0)
"""``SO_LINGER`` by which closing a socket sends RST."""


class End(Enum):
    """Who a connection leads to."""

    ROBOT = "robot"
    HUB = "hub"


BOTH = (End.ROBOT, End.HUB)


class _Segment(NamedTuple):
    due_s: float
    data: bytes
    """Empty where the sender has finished."""


class FaultProxy:
    """An async context manager: listens on a port of 127.0.0.1 and leads to ``host:port``.

    ``seed`` decides every delay and stall. ``counters``: ``connections``, ``refused``,
    ``unreachable``, ``cut``, ``stalls``, ``stranded_bytes``, and ``bytes_to_hub`` and
    ``bytes_to_robot`` that were delivered.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", *, seed: int = 1) -> None:
        self.counters: Counter[str] = Counter()
        self.accepting = True
        """If not, whoever connects is sent away with RST."""
        self._address = (host, port)
        self._seed = seed
        self._lanes = {end: _Lane() for end in BOTH}
        self._connections: set[_Connection] = set()
        self._tasks = asyncio.TaskGroup()
        self._server: asyncio.Server | None = None
        self._made = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None, "the proxy is not open"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The hub's base address, by way of this proxy."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._connections)

    def impair(self, impairment: Impairment, towards: tuple[End, ...] = BOTH) -> None:
        """From now on this is how what travels ``towards`` these ends fares."""
        for end in towards:
            self._lanes[end].set(impairment)

    def cut(self, towards: tuple[End, ...] = BOTH, *, reset: bool = True) -> None:
        """End all connections towards these ends, by RST or by FIN. An end that is not named is
        told nothing, and what it sends vanishes."""
        self.counters["cut"] += len(self._connections)
        for connection in tuple(self._connections):
            connection.cut(towards, reset)

    def strand(self) -> None:
        """Leave all connections half-open: neither end is told, and whatever either sends vanishes.
        Those that are made later work."""
        self.cut(())

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in tuple(self._connections):
            connection.cut(BOTH, reset=True)
        if isinstance(error, asyncio.CancelledError):
            await self._tasks.__aexit__(kind, error, trace)
        else:  # the group would wrap what the body raised
            await self._tasks.__aexit__(None, None, None)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.accepting:
            self.counters["refused"] += 1
            _reset(writer)
            return
        self._tasks.create_task(self._carry(_Side(reader, writer)))

    async def _carry(self, robot: "_Side") -> None:
        """One connection, from its making to its end."""
        try:
            hub = _Side(*await asyncio.open_connection(*self._address))
        except OSError:
            self.counters["unreachable"] += 1
            _reset(robot.writer)
            return
        self._made += 1
        self.counters["connections"] += 1
        seed = f"{self._seed}/{self._made}"
        connection = _Connection(robot, hub, self._lanes, self.counters, seed)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)


class _Lane:
    """What all connections suffer towards one end."""

    def __init__(self) -> None:
        self.impairment = CLEAR
        self.flows = asyncio.Event()
        self.flows.set()

    def set(self, impairment: Impairment) -> None:
        self.impairment = impairment
        if impairment.paused:
            self.flows.clear()
        else:
            self.flows.set()


class _Side(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Connection:
    """Two pipes that share their sockets."""

    def __init__(
        self,
        robot: _Side,
        hub: _Side,
        lanes: dict[End, _Lane],
        counters: Counter[str],
        seed: str,
    ) -> None:
        self._sides = {End.ROBOT: robot, End.HUB: hub}
        self._pipes = {
            end: _Pipe(source.reader, self._sides[end].writer, lanes[end], counters, end, seed)
            for end, source in ((End.HUB, robot), (End.ROBOT, hub))
        }

    async def run(self) -> None:
        """Carry bytes until both senders have finished or all is cut."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for pipe in self._pipes.values():
                    tasks.create_task(pipe.run(self._broken))
        finally:
            for side in self._sides.values():
                side.writer.close()

    def cut(self, towards: tuple[End, ...], reset: bool) -> None:
        """See ``FaultProxy.cut``."""
        for pipe in self._pipes.values():
            pipe.strand()
        for end in towards:
            if reset:
                _reset(self._sides[end].writer)
            else:
                self._sides[end].writer.close()

    def _broken(self) -> None:
        self.cut(BOTH, reset=True)


class _Pipe:
    """One direction of a connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        lane: _Lane,
        counters: Counter[str],
        end: End,
        seed: str,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._lane = lane
        self._counters = counters
        self._delivered = f"bytes_to_{end.value}"
        self._timetable = Timetable(f"{seed}/{end.value}")
        self._inside: asyncio.Queue[_Segment] = asyncio.Queue(_SEGMENTS)
        self._giving: asyncio.Task[None] | None = None
        self._stranded = False

    def strand(self) -> None:
        """Deliver nothing any more."""
        self._stranded = True
        if self._giving is not None:
            self._giving.cancel()
        while not self._inside.empty():
            self._counters["stranded_bytes"] += len(self._inside.get_nowait().data)

    async def run(self, broken: Callable[[], None]) -> None:
        """Carry what is read until its sender has finished; ``broken`` is called if either socket
        is reset by its owner."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._giving = tasks.create_task(self._give())
                await self._take()
        except* OSError:
            if not self._stranded:
                broken()

    async def _take(self) -> None:
        """Read to the end; what a stranded connection still gets is counted."""
        loop = asyncio.get_running_loop()
        data = b"more"
        while data:
            data = await self._reader.read(_SEGMENT_BYTES)
            if self._stranded:
                self._counters["stranded_bytes"] += len(data)
                continue
            stalls = self._timetable.stalls
            due_s = self._timetable.due_s(self._lane.impairment, len(data), loop.time())
            self._counters["stalls"] += self._timetable.stalls - stalls
            await self._inside.put(_Segment(due_s, data))

    async def _give(self) -> None:
        """Write every segment when it is due."""
        loop = asyncio.get_running_loop()
        while True:
            due_s, data = await self._inside.get()
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            await self._lane.flows.wait()
            if not data:
                self._writer.write_eof()
                return
            self._writer.write(data)
            await self._writer.drain()
            self._counters[self._delivered] += len(data)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST."""
    owned = writer.get_extra_info("socket")
    if owned is not None and owned.fileno() >= 0:
        # uvloop shows a socket without setsockopt; a duplicate descriptor names the same socket.
        with socket.fromfd(owned.fileno(), owned.family, socket.SOCK_STREAM) as real:
            real.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
