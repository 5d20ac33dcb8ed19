"""What audio a server sent: raw samples as it was asked for, or a file with a header."""

import struct
from typing import NamedTuple

RIFF_BYTES = 12
_CHUNK_BYTES = 8
_FORMAT_BYTES = 16
_PCM, _EXTENSIBLE = 1, 0xFFFE
MOST_HEADER_BYTES = 4_096

_COMPRESSED = {b"ID3": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC", b"\x1aE\xdf\xa3": "WebM"}


class AudioFormat(NamedTuple):
    """Mono s16le samples at ``rate_hz`` begin at byte ``first_byte``."""

    rate_hz: int
    first_byte: int


def format_of(head: bytes, raw_hz: int, complete: bool = False) -> AudioFormat | None:
    """The format of audio that begins with ``head``, None if more of it is needed to say; raw
    samples are at ``raw_hz``. ``complete``: nothing follows.

    Raises:
        ValueError: it is compressed, or not mono with 16 bits.
    """
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise ValueError(f"the audio is {name}, not PCM")
    if head.startswith(b"RIFF"[: len(head)]) and (len(head) >= RIFF_BYTES or not complete):
        return _wave_format(head) if len(head) >= RIFF_BYTES else None
    return AudioFormat(raw_hz, 0)


def _wave_format(head: bytes) -> AudioFormat | None:
    """The chunks of a RIFF file up to its samples (Microsoft, "Multimedia Programming Interface
    and Data Specifications 1.0")."""
    at, rate_hz = RIFF_BYTES, 0
    while at + _CHUNK_BYTES <= len(head):
        kind, size = struct.unpack_from("<4sI", head, at)
        at += _CHUNK_BYTES
        if kind == b"data":
            if not rate_hz:
                raise ValueError("the WAV file does not say what its samples are")
            return AudioFormat(rate_hz, at)
        if kind == b"fmt ":
            if at + _FORMAT_BYTES > len(head):
                return None
            coding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", head, at)
            if coding not in (_PCM, _EXTENSIBLE) or channels != 1 or bits != 16 or not rate_hz:
                raise ValueError(f"the WAV file has {channels} channels of {bits} bits")
        at += size + size % 2
    if len(head) > MOST_HEADER_BYTES:
        raise ValueError("the WAV file has a header without end")
    return None
