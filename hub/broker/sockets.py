"""ZeroMQ as the bus uses it: non-blocking multipart messages, drained by the event loop.

``zmq.backend.Socket`` with integer flags moves a three-frame message in a sixth of the time of
``send_multipart`` and ``recv_multipart``, whose flags are enums. It is half public, so it is named
here only, and ``zmq.Socket``, a subclass of it, takes its place where it is missing.

Hub and agents each hold this file, byte for byte the same: they share no code but ``protocols``,
which does no I/O.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import zmq
import zmq.backend

_fast_socket: Callable[..., Any] = getattr(zmq.backend, "Socket", zmq.Socket)

_NOBLOCK = int(zmq.NOBLOCK)
_NOBLOCK_MORE = int(zmq.NOBLOCK) | int(zmq.SNDMORE)
_FD = int(zmq.FD)
_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)
_MAX_FRAMES = 8192
_DRAIN = 256


class FrameSocket:
    """A socket for multipart messages of bytes. No call blocks."""

    def __init__(
        self,
        context: zmq.Context[Any],
        kind: int,
        options: Mapping[int, int | bytes],
        raw: Callable[..., Any] = _fast_socket,
    ) -> None:
        self._raw = raw(context, int(kind))
        for option, value in options.items():
            self._raw.set(int(option), value)
        self.fd: int = self._raw.get(_FD)
        self.closed = False
        self._send = self._raw.send
        self._recv = self._raw.recv

    def bind(self, address: str) -> None:
        self._raw.bind(address)

    def connect(self, address: str) -> None:
        self._raw.connect(address)

    def set(self, option: int, value: int | bytes) -> None:
        self._raw.set(int(option), value)

    def send3(self, first: bytes, second: bytes, third: bytes) -> None:
        """Send three frames on a socket that drops instead of blocking (PUB)."""
        send = self._send
        send(first, _NOBLOCK_MORE)
        send(second, _NOBLOCK_MORE)
        send(third, _NOBLOCK)

    def send(self, frames: Sequence[bytes]) -> bool:
        """Send a message; False if its peer is gone or takes nothing now."""
        last = len(frames) - 1
        try:
            for i, frame in enumerate(frames):
                self._send(frame, _NOBLOCK if i == last else _NOBLOCK_MORE)
        except zmq.ZMQError:  # EAGAIN, or EHOSTUNREACH of a ROUTER
            return False
        return True

    def has_message(self) -> bool:
        """Whether ``receive`` has something to give."""
        return bool(self._raw.get(_EVENTS) & _POLLIN)

    def receive(self) -> list[bytes] | None:
        """The next message, None if there is none."""
        recv = self._recv
        try:
            frame = recv(_NOBLOCK, False)
        except zmq.Again:
            return None
        frames = [frame.bytes]
        # A frame knows whether another follows; to ask the socket costs more than to receive.
        while frame.more:
            frame = recv(_NOBLOCK, False)
            if len(frames) < _MAX_FRAMES:
                frames.append(frame.bytes)
        return frames

    def close(self, linger_ms: int = 0) -> None:
        if not self.closed:
            self.closed = True
            self._raw.close(linger_ms)


class Reader:
    """Hands every message of a socket to ``on_message`` as it comes.

    The socket's descriptor only tells of a *change*, and sending or subscribing may swallow it:
    so a drain goes on until nothing is left, and ``poke`` is called after each such call.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        socket: FrameSocket,
        on_message: Callable[[list[bytes]], None],
        on_drained: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._socket = socket
        self._on_message = on_message
        self._on_drained = on_drained
        self._poked = False
        loop.add_reader(socket.fd, self._drain)
        self.poke()

    def poke(self) -> None:
        """Look for messages soon."""
        if not self._poked and not self._socket.closed:
            self._poked = True
            self._loop.call_soon(self._look)

    def close(self, linger_ms: int = 0) -> None:
        """Stop reading; the socket is closed too."""
        if not self._socket.closed:
            self._loop.remove_reader(self._socket.fd)
            self._socket.close(linger_ms)

    def _look(self) -> None:
        self._poked = False
        if not self._socket.closed and self._socket.has_message():
            self._drain()

    def _drain(self) -> None:
        socket, handle = self._socket, self._on_message
        taken, empty = 0, False
        try:
            while taken < _DRAIN and not socket.closed:
                # A message mostly comes alone, and pyzmq's error for "none" is slow to make.
                if taken == 1 and not socket.has_message():
                    empty = True
                    break
                if (frames := socket.receive()) is None:
                    empty = True
                    break
                taken += 1
                handle(frames)
        finally:
            if not empty:
                self.poke()
            if taken and not socket.closed:
                self._on_drained()
