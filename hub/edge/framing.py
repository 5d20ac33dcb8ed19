"""WebSocket frames of a client, told apart in a byte stream (RFC 6455 §5.2). Pure.

Nearly all that a robot sends are whole messages in one frame each. They are read here; whatever
else is in the stream (control frames, parts of a message, what is no frame at all) is handed on
as it came, for a library that knows all of the protocol.
"""

from typing import NamedTuple

from websockets.frames import apply_mask  # type: ignore[attr-defined]

TEXT, BINARY = 1, 2
UNREAD = 0
"""In place of an opcode: bytes that are to be read by somebody else."""

_FINAL, _CONTROL, _MASKED = 0x80, 0x08, 0x80
_SIMPLE = (_FINAL | TEXT, _FINAL | BINARY)
_LENGTH_16, _LENGTH_64 = 126, 127


class Found(NamedTuple):
    """A message (``TEXT``, ``BINARY``), unmasked; or whole frames that were not read."""

    kind: int
    data: bytes


class FrameSplitter:
    """Bytes in, messages and unread frames out, in order.

    What is handed on ends at the end of a frame, so its reader is never in the middle of one. A
    stream that breaks the protocol, or a frame of more than ``limit`` bytes, is handed on from
    there to its end: whoever reads it refuses it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._need = 0
        self._in_parts = False
        self._lost = False

    def feed(self, data: bytes) -> list[Found]:
        """What ``data`` completes."""
        if self._held:
            self._held += data
            if len(self._held) < self._need:
                return []
            data = bytes(self._held)
            self._held.clear()
        if self._lost:
            return [Found(UNREAD, data)]
        found: list[Found] = []
        at, size = 0, len(data)
        while at < size:
            body, end = _extent(data, at)
            if body and (end - body > self._limit or not data[at + 1] & _MASKED):
                self._lost = True
                found.append(Found(UNREAD, data[at:]))
                break
            if not body or end > size:
                self._held += data[at:]
                self._need = end - at
                break
            found.append(self._read(data, at, body, end))
            at = end
        return found

    def _read(self, data: bytes, at: int, body: int, end: int) -> Found:
        first = data[at]
        if first in _SIMPLE and not self._in_parts:
            return Found(first ^ _FINAL, apply_mask(data[body:end], data[body - 4 : body]))
        if not first & _CONTROL:
            self._in_parts = not first & _FINAL
        return Found(UNREAD, data[at:end])


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at ``at`` begins, and where it ends; if that is not known yet,
    0 and a byte further than ``data`` goes."""
    size = len(data)
    if size < at + 2:
        return 0, size + 1
    length, body = data[at + 1] & 0x7F, at + 6
    if length >= _LENGTH_16:
        wide = 2 if length == _LENGTH_16 else 8
        if size < at + 2 + wide:
            return 0, size + 1
        length = int.from_bytes(data[at + 2 : at + 2 + wide], "big")
        body += wide
    return body, body + length
