"""Peers that do not read, do not answer, or are too many, over real sockets."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hub.edge.server import Keepalive
from hub.edge.services import EdgeFacts
from protocols.codecs.robot import decode_to_robot, encode_media, encode_text
from protocols.messages.robot import (
    Error,
    Hello,
    MicFrame,
    Ping,
    Pong,
    SpeechFrame,
    Welcome,
)
from tests.fakes.sessions import FakeSession
from tests.hub.edge.conftest import Edge, drained, received, served

PATIENCE_S = 10.0
IMPATIENT = Keepalive(every_s=0.1, deadline_s=0.3)
FRAME = bytes(320)


async def until_gone(session: FakeSession) -> tuple[int, str]:
    """How the connection of ``session`` ended."""
    async with asyncio.timeout(PATIENCE_S):
        while session.detached is None:
            session.changed.clear()
            await session.changed.wait()
    return session.detached


async def deaf(edge: Edge, path: str) -> ClientConnection:
    """A client that reads nothing more, and whose kernel keeps little for it."""
    port = edge.port
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", port))
    client = await connect(edge.ws(path), sock=narrow, compression=None)
    if path.startswith("/robot"):
        await client.send(encode_text(Hello()))
    await client.recv()
    client.transport.pause_reading()
    return client


async def test_who_reads_nothing_is_cut_within_seconds_while_another_robots_frames_keep_coming(
    edge: Edge,
) -> None:
    paths = ["/robot?robot_id=deaf", "/converse?robot_id=mute"]
    clients = [await deaf(edge, path) for path in paths]
    async with connect(edge.ws("/robot?robot_id=good")) as good:
        await good.send(encode_text(Hello()))
        assert isinstance(decode_to_robot(str(await good.recv())), Welcome)
        *stuck, well = edge.sessions.attached
        header = SpeechFrame(epoch=1, turn=1, first_sample=0, samples=160)
        began_s = asyncio.get_running_loop().time()
        heard = 0
        while any(session.detached is None for session in stuck):
            for session in edge.sessions.attached:
                session.link.send_speech(header, FRAME)
                session.link.send(Error(code="x", message="y" * 20))
            async with asyncio.timeout(PATIENCE_S):
                assert isinstance(await received(good), bytes)
                assert isinstance(await received(good), str)
            heard += 1
            await asyncio.sleep(0.01)  # a voice comes in real time
        took_s = asyncio.get_running_loop().time() - began_s
    assert well.detached is None or well.detached[0] == 1000
    assert [session.detached for session in stuck] == [(4009, "slow_consumer")] * 2
    assert heard > 50
    assert took_s < PATIENCE_S
    counters = (await edge.http.get("/status")).json()["counters"]
    assert sum(n for name, n in counters.items() if name.startswith("slow_consumer.")) == 2
    for client in clients:
        client.transport.abort()


@pytest.mark.parametrize("path", ["/robot?robot_id=gone", "/converse?robot_id=gone"])
async def test_a_peer_that_vanished_without_a_word_is_given_up_as_half_open(
    tmp_path: Path, path: str
) -> None:
    async with served(tmp_path, keepalive=IMPATIENT) as edge:
        client = await deaf(edge, path)
        assert await until_gone(edge.sessions.attached[0]) == (4408, "half_open")
        assert edge.counters.read() == {"connections.half_open": 1}
        client.transport.abort()


async def test_a_peer_that_speaks_and_does_not_read_is_a_slow_consumer(tmp_path: Path) -> None:
    async with served(tmp_path, keepalive=IMPATIENT) as edge:
        client = await deaf(edge, "/robot?robot_id=r1")
        session = edge.sessions.attached[0]
        first = 0
        while session.detached is None:
            await client.send(encode_media(MicFrame(first_sample=first), FRAME))
            first += 160
            await asyncio.sleep(0.01)
        assert session.detached == (4009, "no_pong")
        assert edge.counters.read()["slow_consumer.no_pong"] == 1
        client.transport.abort()


async def test_a_silent_peer_that_answers_pings_is_left_alone(tmp_path: Path) -> None:
    async with (
        served(tmp_path, keepalive=Keepalive(every_s=0.1, deadline_s=1.5)) as edge,
        connect(edge.ws("/converse?robot_id=quiet")) as quiet,
    ):
        await quiet.recv()
        client = await deaf(edge, "/converse?robot_id=gone")
        await until_gone(edge.sessions.attached[1])
        assert edge.sessions.attached[0].detached is None
        client.transport.abort()


async def test_one_connection_too_many_is_refused_by_a_code_until_another_ends(
    tmp_path: Path,
) -> None:
    async with (
        served(tmp_path, EdgeFacts(max_connections=2)) as edge,
        connect(edge.ws("/robot?robot_id=a")),
    ):
        async with connect(edge.ws("/converse?robot_id=b")):
            async with connect(edge.ws("/robot?robot_id=c")) as third:
                code, reason, _ = await drained(third)
            assert (code, reason) == (4429, "too_many_connections")
            assert edge.counters.read() == {"connections_refused.4429": 1}
        assert await welcomed(edge, "/robot?robot_id=c")


async def welcomed(edge: Edge, path: str) -> bool:
    """Whether a robot is let in within a moment: the other's end has to come through first."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with connect(edge.ws(path)) as client:
                await client.send(encode_text(Hello()))
                try:
                    return isinstance(decode_to_robot(str(await client.recv())), Welcome)
                except ConnectionClosed:
                    continue


async def test_the_hub_finds_out_a_robots_clock_and_shows_it(edge: Edge) -> None:
    ahead_ns = 3_600_000_000_000
    async with connect(edge.ws("/robot?robot_id=r1")) as client:
        await client.send(encode_text(Hello()))
        for _ in range(3):
            ping = await next_of(client, Ping)
            now_ns = ping.t0_ns + ahead_ns + 1_000
            await client.send(encode_text(Pong(t0_ns=ping.t0_ns, t1_ns=now_ns, t2_ns=now_ns)))
        await client.send(encode_text(Pong(t0_ns=1, t1_ns=1, t2_ns=1)))
        shown = await until(edge, lambda status: "pongs.unknown" in status["counters"])
        clock = shown["clocks"]["r1"]
        assert abs(clock["offset_ms"] - ahead_ns / 1e6) <= clock["error_ms"]
    assert (await until(edge, lambda status: not status["clocks"]))["robots"] == []
    assert edge.sessions.attached[0].messages == []


async def next_of(client: ClientConnection, kind: type[Ping]) -> Ping:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = decode_to_robot(str(await client.recv()))
            if isinstance(message, kind):
                return message


async def until(edge: Edge, holds: Callable[[Any], bool]) -> Any:
    """The status, once ``holds`` does."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds(status := (await edge.http.get("/status")).json()):
            pass
    return status
