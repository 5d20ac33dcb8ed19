"""A WebSocket client that costs next to nothing, so that a benchmark measures the server.

Blocking until it is connected, never afterwards. Frames are masked with a key of zeros, which is
a legal key (RFC 6455 §5.3) and leaves the payload as it is.
"""

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 10.0
_RECEIVE_BYTES = 256 * 1024
_SEND_BUFFER_BYTES = 192 * 1024
"""Roomy: what does not fit into it means that the server does not read."""
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
"""Both ends may know it: it only proves to a server that it is spoken to by a client."""
_FINAL, _MASKED = 0x80, 0x80
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_ZERO_KEY = bytes(4)

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
        self._rest = self._handshake(address.netloc, path)
        self._socket.setblocking(False)

    def _handshake(self, host: str, path: str) -> bytes:
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            received = self._socket.recv(_RECEIVE_BYTES)
            if not received:
                raise Closed("the server hung up during the handshake")
            answer += received
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise Closed(f"no WebSocket: {head.decode('latin-1').splitlines()[0]}")
        return rest

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, payload: Payload) -> None:
        """Send a text (str) or binary (bytes) message.

        Raises:
            Closed: the socket does not take it.
        """
        if isinstance(payload, str):
            self._send(_TEXT, payload.encode())
        else:
            self._send(_BINARY, payload)

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = bytes((_FINAL | opcode, _MASKED | size))
        elif size < 1 << 16:
            head = bytes((_FINAL | opcode, _MASKED | 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((_FINAL | opcode, _MASKED | 127)) + size.to_bytes(8, "big")
        frame = head + _ZERO_KEY + payload
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
        try:
            received = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        if not received:
            raise Closed("the server hung up")
        data = self._rest + received if self._rest else received
        at = 0
        while (found := _frame_at(data, at)) is not None:
            opcode, start, at = found
            payload = data[start:at]
            if opcode == _BINARY:
                yield payload
            elif opcode == _TEXT:
                yield payload.decode()
            elif opcode == _PING:
                self._send(_PONG, payload)
            elif opcode == _CLOSE:
                code = int.from_bytes(payload[:2], "big")
                raise Closed(f"closed with {code}: {payload[2:].decode(errors='replace')}")
        self._rest = data[at:]

    def close(self) -> None:
        """Say good-bye and hang up, without waiting for an answer."""
        with contextlib.suppress(Closed):
            self._send(_CLOSE, (1000).to_bytes(2, "big"))
        self._socket.close()


def _frame_at(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Opcode, start and end of the payload of the frame at ``at``; None if it is not all there."""
    have = len(data) - at
    if have < 2:
        return None
    size, start = data[at + 1], at + 2
    if size > 125:
        wide = 2 if size == 126 else 8
        if have < 2 + wide:
            return None
        size, start = int.from_bytes(data[start : start + wide], "big"), start + wide
    return (data[at] & 0xF, start, start + size) if start + size <= len(data) else None
