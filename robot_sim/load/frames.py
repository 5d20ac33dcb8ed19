"""The client's half of a WebSocket (RFC 6455) as bytes in and bytes out, at next to no cost.

Frames are masked with a key of zeros, which is a legal key (§5.3) and leaves the payload as it is.
Fragmented messages are not understood: a hub sends none.
"""

from collections.abc import Iterator
from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

_FINAL = _MASKED = 0x80
_ZERO_KEY = bytes(4)
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
"""Both ends may know it: it only proves to a server that it is spoken to by a client."""


class NoUpgrade(Exception):
    """The server answered the handshake with another status than 101."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(f"no WebSocket: {line}")
        self.status = status


class WebSocketFrame(NamedTuple):
    """A whole message of either kind, or a control frame, by ``opcode``."""

    opcode: int
    payload: bytes


def upgrade_request(host: str, path: str, token: str | None = None) -> bytes:
    """The HTTP request that opens a connection to ``path``."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"{authorization}Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """A final frame as a client sends it."""
    size = len(payload)
    if size < 126:
        head = bytes((_FINAL | opcode, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((_FINAL | opcode, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | opcode, _MASKED | 127)) + size.to_bytes(8, "big")
    return head + _ZERO_KEY + payload


def close_code(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame; 1005 where it names none (RFC 6455 §7.1.5)."""
    if len(payload) < 2:
        return 1005, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")


class FrameReader:
    """What a server sends, cut into frames: first the answer to the handshake, then messages."""

    def __init__(self) -> None:
        self.upgraded = False
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[WebSocketFrame]:
        """The frames that are complete now.

        Raises:
            NoUpgrade: the server does not open a WebSocket.
        """
        data = self._rest + received if self._rest else received
        if not self.upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._check(head)
        at = 0
        while (found_at := _frame_at(data, at)) is not None:
            opcode, start, at = found_at
            self._rest = data[at:]
            yield WebSocketFrame(opcode, data[start:at])
        self._rest = data[at:]

    def _check(self, head: bytes) -> None:
        line = head.decode("latin-1").partition("\r\n")[0]
        status = line.split(" ")[1] if line.count(" ") else ""
        if status != "101":
            raise NoUpgrade(int(status) if status.isdecimal() else 0, line)
        self.upgraded = True


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
