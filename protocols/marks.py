"""Marks in microphone audio, by which a client drives scripted ears and a scripted recogniser.

A mark is a run of s16le samples that no sound makes: three times ``±SIGNATURE`` in turn, a kind,
the length of a text and the text itself, one UTF-8 byte per sample. A chunk that begins with a
start mark begins a voice, one with a stop mark ends it, one with a wake mark ends a wake word, and
the text is what was said. Scripted
engines look for marks on a grid of ``GRID_SAMPLES``: chunks of whole multiples of it keep theirs.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

SIGNATURE = 0x7A3C
GRID_SAMPLES = 160
"""10 ms at 16 kHz."""
MAX_TEXT_BYTES = 1_000

_HEAD = struct.pack("<3h", SIGNATURE, -SIGNATURE, SIGNATURE)


class MarkKind(IntEnum):
    START = 1
    STOP = 2
    WAKE = 3


class Mark(NamedTuple):
    """What a mark says, and the sample it begins at."""

    kind: MarkKind
    text: str
    sample: int


def mark(kind: MarkKind, text: str = "") -> bytes:
    """The samples of a mark, s16le.

    Raises:
        ValueError: ``text`` has more than ``MAX_TEXT_BYTES``.
    """
    data = text.encode()
    if len(data) > MAX_TEXT_BYTES:
        raise ValueError(f"a mark carries at most {MAX_TEXT_BYTES} bytes, not {len(data)}")
    return _HEAD + struct.pack(f"<2h{len(data)}h", kind, len(data), *data)


def marked_chunk(kind: MarkKind, samples: int, text: str = "") -> bytes:
    """A chunk of at least ``samples`` samples that begins with a mark and is silent after it;
    long enough for its text, in whole grid steps."""
    head = mark(kind, text)
    needed = max(samples, len(head) // 2)
    return head.ljust(-(-needed // GRID_SAMPLES) * GRID_SAMPLES * 2, b"\0")


def find_marks(pcm: bytes) -> list[Mark]:
    """The marks in ``pcm``, in order; a text that is cut off at the end is given as far as it
    goes."""
    found = []
    at = pcm.find(_HEAD)
    while at >= 0:
        body = pcm[at + len(_HEAD) :]
        if at % 2 == 0 and len(body) >= 4 and body[0] in set(MarkKind) and body[1] == 0:
            length = min(struct.unpack_from("<h", body, 2)[0], MAX_TEXT_BYTES)
            text = body[4 : 4 + 2 * max(length, 0) : 2].decode(errors="replace")
            found.append(Mark(MarkKind(body[0]), text, at // 2))
        at = pcm.find(_HEAD, at + 2)
    return found
