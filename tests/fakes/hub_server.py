"""A hub's robot edge that follows a test's script, over a real socket."""

import asyncio
import http
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from protocols.codecs.robot import decode_from_robot, decode_media, encode_media, encode_text
from protocols.messages.robot import (
    CameraPicture,
    FromRobot,
    Hello,
    MediaFrame,
    MicFrame,
    SpeechEnd,
    SpeechFrame,
    ToRobot,
    Welcome,
)

T = TypeVar("T")

FRAME_SAMPLES = 320
PATIENCE_S = 20.0
"""Tests share their machine with whatever else runs on it."""


class FakeConnection:
    """One robot's connection, as the hub sees it; ``hello`` has been received."""

    def __init__(self, socket: ServerConnection, hello: Hello, epoch: int) -> None:
        self.socket = socket
        self.hello = hello
        self.epoch = epoch
        self.mic: list[tuple[MicFrame, bytes]] = []
        self.messages: asyncio.Queue[FromRobot] = asyncio.Queue()
        self.pictures: asyncio.Queue[tuple[CameraPicture, bytes]] = asyncio.Queue()
        self.heard = asyncio.Event()
        """Set with every microphone frame."""
        self.closed = asyncio.Event()

    async def welcome(self, *, hub_id: str = "fake", resumed: bool = False) -> None:
        await self.send(
            Welcome(
                session="s1", epoch=self.epoch, resumed=resumed, resume=f"token-{self.epoch}",
                hub_id=hub_id, boot=7, order=40 + self.epoch, lead_ms=300,
            )
        )  # fmt: skip

    async def send(self, *messages: ToRobot) -> None:
        for message in messages:
            await self.socket.send(encode_text(message))

    async def speak(self, turn: int, ms: int, *, first_sample: int = 0, end: bool = True) -> None:
        """Send ``ms`` of a 16 kHz tone as speech of ``turn``, all at once."""
        last = first_sample + ms * 16
        for at in range(first_sample, last, FRAME_SAMPLES):
            tone = 8000 * np.sin(np.arange(at, at + FRAME_SAMPLES) / 8)
            header = SpeechFrame(
                epoch=self.epoch, turn=turn, first_sample=at, samples=FRAME_SAMPLES, energy=90
            )
            await self.socket.send(encode_media(header, tone.astype("<i2").tobytes()))
        if end:
            await self.send(SpeechEnd(turn=turn, samples=last))

    async def next(self, kind: type[T], timeout_s: float = PATIENCE_S) -> T:
        """The next message of ``kind``; others before it are skipped."""
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self.messages.get()
                if isinstance(message, kind):
                    return message

    def waiting(self, kind: type[T]) -> list[T]:
        """Messages of ``kind`` that have come and were not asked for yet."""
        come = [self.messages.get_nowait() for _ in range(self.messages.qsize())]
        for message in come:
            self.messages.put_nowait(message)
        return [m for m in come if isinstance(m, kind)]

    async def read(self) -> None:
        try:
            async for frame in self.socket:
                if isinstance(frame, str):
                    self.messages.put_nowait(decode_from_robot(frame))
                else:
                    self._take(*decode_media(frame))
        except ConnectionClosed:
            pass
        finally:
            self.closed.set()

    def _take(self, header: MediaFrame, payload: bytes) -> None:
        if isinstance(header, CameraPicture):
            self.pictures.put_nowait((header, payload))
            return
        assert isinstance(header, MicFrame)
        self.mic.append((header, payload))
        self.heard.set()


class FakeHub:
    """Async context manager: a server on a free port of this machine.

    ``ready`` is what ``GET /readyz`` answers: bodies in turn, the last one for ever. Only that
    last one says that the hub is ready.
    """

    def __init__(self, ready: tuple[str, ...] = ("{}",)) -> None:
        self._ready = list(ready)
        self.paths: list[str] = []
        self.tokens: list[str] = []
        self._connections: asyncio.Queue[FakeConnection] = asyncio.Queue()
        self._epoch = 0
        self._server: Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def connection(self, timeout_s: float = PATIENCE_S) -> FakeConnection:
        """The next robot that has said hello."""
        async with asyncio.timeout(timeout_s):
            return await self._connections.get()

    def _on_request(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.path != "/readyz":
            return None
        done = len(self._ready) == 1
        body = self._ready[0] if done else self._ready.pop(0)
        return socket.respond(
            http.HTTPStatus.OK if done else http.HTTPStatus.SERVICE_UNAVAILABLE, body
        )

    async def _on_socket(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        self.tokens.append(socket.request.headers.get("Authorization", ""))
        hello = decode_from_robot(await socket.recv())
        assert isinstance(hello, Hello)
        self._epoch += 1
        connection = FakeConnection(socket, hello, self._epoch)
        self._connections.put_nowait(connection)
        await connection.read()

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._on_socket, "127.0.0.1", 0, compression=None, process_request=self._on_request
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
