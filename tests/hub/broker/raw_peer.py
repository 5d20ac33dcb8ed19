"""Peers that misbehave, for the ZeroMQ bus."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import zmq
import zmq.asyncio

from protocols.codecs.bus import encode
from protocols.codecs.link import (
    PROBE_DOWN,
    PROBE_UP,
    Joined,
    LinkFrame,
    Register,
    Registered,
    Seen,
    decode_link,
    encode_link,
)
from protocols.envelope import AnyEnvelope, Envelope
from protocols.messages.agent import AgentHello, AgentKind


class RawPeer:
    """An agent written by hand: it registers properly, then does only what the test says."""

    def __init__(self, directory: Path, name: str, incarnation: int, link: str) -> None:
        self.name = name
        self.link = f"{name}.{link}".encode()
        self._incarnation = incarnation
        self._context = zmq.asyncio.Context()
        self.pub = self._connected(zmq.PUB, f"ipc://{directory / 'hub-in'}")
        self.sub = self._connected(zmq.SUB, f"ipc://{directory / 'hub-out'}")
        self._dealer = self._context.socket(zmq.DEALER)
        self._dealer.set(zmq.ROUTING_ID, self.link)
        self._dealer.set(zmq.LINGER, 0)
        self._dealer.connect(f"ipc://{directory / 'control'}")

    async def __aenter__(self) -> "RawPeer":
        self.sub.subscribe(PROBE_DOWN + self.link)
        hello: AnyEnvelope = Envelope(id=1, body=AgentHello(kind=AgentKind.EARS))
        topic, header, _ = encode(hello)
        await self.send(Register(self.name, self._incarnation), topic, header)
        await self.expect(Registered)
        await self.sub.recv_multipart()
        await self.send(Seen())
        while not await self._dealer.poll(2):
            await self.pub.send_multipart((PROBE_UP + self.link + b"/", b"", b""))
        await self.expect(Joined)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._context.destroy(0)

    async def send(self, frame: LinkFrame, *rest: bytes) -> None:
        await self._dealer.send_multipart((encode_link(frame), *rest))

    async def send_raw(self, *frames: bytes) -> None:
        await self._dealer.send_multipart(frames)

    async def expect(self, kind: type[LinkFrame]) -> Any:
        """The next frame of that kind, those before it thrown away."""
        while True:
            frame = decode_link((await self._dealer.recv_multipart())[0])
            if isinstance(frame, kind):
                return frame

    def _connected(self, kind: int, address: str) -> zmq.asyncio.Socket:
        socket = self._context.socket(kind)
        socket.set(zmq.LINGER, 0)
        socket.connect(address)
        return socket


class LoopInThread:
    """One end of the bus on a loop of its own, which a test may stall."""

    def __init__(self, end: AbstractAsyncContextManager[object]) -> None:
        self._end = end
        self._open = threading.Event()
        self._go_on = threading.Event()
        self._thread = threading.Thread(target=self._run)

    async def __aenter__(self) -> "LoopInThread":
        self._thread.start()
        await asyncio.to_thread(self._open.wait, 5)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.resume()
        self.call(self._done.set)
        await asyncio.to_thread(self._thread.join, 5)

    def call(self, function: Callable[[], object]) -> None:
        """Run something on the other loop."""
        self._loop.call_soon_threadsafe(function)

    def stall(self) -> None:
        """Block the other loop until ``resume``, as a handler that hangs does."""
        self.call(lambda: self._go_on.wait(5))

    def resume(self) -> None:
        self._go_on.set()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        async with self._end:
            self._open.set()
            await self._done.wait()
