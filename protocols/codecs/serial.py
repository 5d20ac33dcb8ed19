"""Frames of the serial protocol that faces and motor controllers speak.

``COBS(type u8 · seq · [t_src_us u64] · payload · crc16) · 0x00``, little-endian. Version 1 has a
``seq`` of one byte and no time, version 2 one of four bytes and the sender's microseconds. The CRC
is CRC-16/CCITT-FALSE over everything before it. COBS: Cheshire and Baker, "Consistent Overhead
Byte Stuffing", IEEE/ACM ToN 7(2), 1999.
"""

import struct
from binascii import crc_hqx
from collections import Counter
from typing import NamedTuple

from cobs import cobs

from protocols.errors import FrameTooLarge, MalformedFrame

MAX_FRAME_BYTES = 768
"""Longest encoded frame; what is longer is thrown away up to the next zero."""

_CRC_START = 0xFFFF
_CRC = struct.Struct("<H")
_HEADS = {1: struct.Struct("<BB"), 2: struct.Struct("<BIQ")}
_SEQ_MASKS = {1: 0xFF, 2: 0xFFFF_FFFF}
LATEST = 2


class Packet(NamedTuple):
    """What one frame holds. ``version`` is that of its envelope; ``t_src_us`` is 0 in version 1."""

    type: int
    payload: bytes = b""
    seq: int = 0
    t_src_us: int = 0
    version: int = 1


def encode_packet(packet: Packet) -> bytes:
    """The frame of a packet, its closing zero included; ``seq`` wraps as its version has it."""
    seq = packet.seq & _SEQ_MASKS[packet.version]
    times = (packet.t_src_us,) if packet.version == LATEST else ()
    raw = _HEADS[packet.version].pack(packet.type, seq, *times) + packet.payload
    encoded: bytes = cobs.encode(raw + _CRC.pack(crc_hqx(raw, _CRC_START)))
    return encoded + b"\0"


def unstuff(frame: bytes) -> bytes:
    """Envelope and payload of a frame without its zero and its CRC.

    Raises:
        FrameTooLarge: above ``MAX_FRAME_BYTES``.
        MalformedFrame: no COBS, too short for an envelope, or the CRC does not match.
    """
    if len(frame) > MAX_FRAME_BYTES:
        raise FrameTooLarge(f"serial frame of {len(frame)} bytes, {MAX_FRAME_BYTES} allowed")
    try:
        raw: bytes = cobs.decode(frame)
    except cobs.DecodeError as error:
        raise MalformedFrame(f"no COBS: {error}") from error
    body = raw[: -_CRC.size]
    if len(body) < _HEADS[1].size:
        raise MalformedFrame(f"a packet of {len(raw)} bytes")
    if _CRC.unpack(raw[-_CRC.size :])[0] != crc_hqx(body, _CRC_START):
        raise MalformedFrame("the CRC does not match")
    return body


def payload_bytes(body: bytes, version: int) -> int:
    """How long the payload of ``body`` is under an envelope of ``version``; negative if the
    envelope alone is longer."""
    return len(body) - _HEADS[version].size


def open_envelope(body: bytes, version: int) -> Packet:
    """The packet in ``body``, which ``payload_bytes`` says to hold an envelope of ``version``."""
    head = _HEADS[version]
    kind, seq, *times = head.unpack_from(body)
    return Packet(kind, body[head.size :], seq, times[0] if times else 0, version)


class Deframer:
    """Bytes as they come from a port in, frames without their zero out. It never raises: whatever
    comes, it is in step again at the next zero. ``counters`` names what was thrown away."""

    def __init__(self, limit_bytes: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit_bytes
        self._held = bytearray()
        self._skips = False
        self.counters: Counter[str] = Counter()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that ``data`` completes."""
        *ends, rest = data.split(b"\0")
        frames = [frame for end in ends if (frame := self._close(end))]
        self._hold(rest)
        return frames

    def reset(self) -> None:
        """Another stream begins: the port was opened anew."""
        self._held.clear()
        self._skips = False

    def _close(self, end: bytes) -> bytes:
        self._hold(end)
        frame, skips = bytes(self._held), self._skips
        self.reset()
        return b"" if skips else frame

    def _hold(self, data: bytes) -> None:
        if self._skips:
            return
        self._held += data
        if len(self._held) > self._limit:
            self.counters["frames.too_long"] += 1
            self._held.clear()
            self._skips = True
