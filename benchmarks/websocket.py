"""A WebSocket client that costs next to nothing, so that a benchmark measures the server.

Blocking until it is connected, never afterwards.
"""

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from robot_sim.load.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    NoUpgrade,
    WebSocketFrame,
    close_code,
    encode_frame,
    upgrade_request,
)

CONNECT_TIMEOUT_S = 10.0
_RECEIVE_BYTES = 256 * 1024
_SEND_BUFFER_BYTES = 192 * 1024
"""Roomy: what does not fit into it means that the server does not read."""
Payload = str | bytes


class Closed(Exception):
    """The server ended the connection, or does not read."""


class WebSocket:
    """One connection to ``url`` (``http://host:port``), at ``path``."""

    def __init__(self, url: str, path: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), CONNECT_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._reader = FrameReader()
        self._early: list[WebSocketFrame] = []
        """What came with the answer to the handshake."""
        self._handshake(address.netloc, path)
        self._socket.setblocking(False)

    def _handshake(self, host: str, path: str) -> None:
        self._socket.sendall(upgrade_request(host, path))
        while not self._reader.upgraded:
            received = self._socket.recv(_RECEIVE_BYTES)
            if not received:
                raise Closed("the server hung up during the handshake")
            try:
                self._early += self._reader.feed(received)
            except NoUpgrade as error:
                raise Closed(str(error)) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, payload: Payload) -> None:
        """Send a text (str) or binary (bytes) message.

        Raises:
            Closed: the socket does not take it.
        """
        if isinstance(payload, str):
            self._send(TEXT, payload.encode())
        else:
            self._send(BINARY, payload)

    def _send(self, opcode: int, payload: bytes) -> None:
        frame = encode_frame(opcode, payload)
        try:
            sent = self._socket.send(frame)
        except OSError as error:
            raise Closed(f"cannot send: {error}") from error
        if sent != len(frame):
            raise Closed("the server does not read")

    def receive(self) -> Iterator[Payload]:
        """The messages that have come; pings are answered. None of them may be fragmented.

        Raises:
            Closed: the server has closed the connection.
        """
        frames, self._early = self._early, []
        with contextlib.suppress(BlockingIOError):
            received = self._socket.recv(_RECEIVE_BYTES)
            if not received:
                raise Closed("the server hung up")
            frames += self._reader.feed(received)
        for opcode, payload in frames:
            if opcode == BINARY:
                yield payload
            elif opcode == TEXT:
                yield payload.decode()
            elif opcode == PING:
                self._send(PONG, payload)
            elif opcode == CLOSE:
                code, reason = close_code(payload)
                raise Closed(f"closed with {code}: {reason}")

    def close(self) -> None:
        """Say good-bye and hang up, without waiting for an answer."""
        with contextlib.suppress(Closed):
            self._send(CLOSE, (1000).to_bytes(2, "big"))
        self._socket.close()
