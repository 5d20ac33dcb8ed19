"""The raw limit of a robot's connection: a bare WebSocket server that sends every chunk back."""

import asyncio
import contextlib
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from benchmarks.robot_client import SILENCE
from benchmarks.websocket import Payload, WebSocket
from protocols.codecs.robot import encode_media
from protocols.messages.robot import MicFrame

START_TIMEOUT_S = 20.0


class Echo:
    """A microphone against that server; every chunk is timed."""

    def __init__(self, url: str) -> None:
        self.socket = WebSocket(url, "/")
        self.latencies_ns: list[int] = []
        self._frame = encode_media(MicFrame(first_sample=1 << 20), SILENCE)
        self._sent_ns: deque[int] = deque()

    def send_chunk(self, now_ns: int) -> None:
        """See ``Client``."""
        self._sent_ns.append(time.monotonic_ns())
        self.socket.send(self._frame)

    def take(self, payload: Payload, now_ns: int) -> None:
        """See ``Client``."""
        self.latencies_ns.append(now_ns - self._sent_ns.popleft())


@contextmanager
def echo_server() -> Iterator[str]:
    """The server in a process of its own; gives its URL.

    Raises:
        RuntimeError: it did not start in time.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    try:
        if not ours.poll(START_TIMEOUT_S):
            raise RuntimeError("the raw echo did not start")
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _run(pipe: Connection) -> None:
    import uvloop

    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.exceptions import ConnectionClosed

    async def echo(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                await connection.send(message)

    async with serve(echo, "127.0.0.1", 0, compression=None) as server:
        host, port = next(iter(server.sockets)).getsockname()
        pipe.send(f"http://{host}:{port}")
        await asyncio.get_running_loop().create_future()
