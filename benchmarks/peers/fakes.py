"""What all peers' fake engines share: how marks are found, and what an answer sounds like.

Imported inside the peers' environments: it needs nothing but the standard library.
"""

import math
from array import array

from protocols.marks import Mark, MarkKind, find_marks, mark

RATE_HZ = 16_000
CHUNK_BYTES = 2 * RATE_HZ // 50
"""20 ms."""
WORD_MS = 200
"""Each word is spoken so long, as by the hub's scripted voice."""
CUT = "cut"
"""The text that asks for an interruption, and announces it."""

_SIGNATURE = mark(MarkKind.START)[:6]
_WORD = array(
    "h",
    (
        round(8_000 * math.sin(2 * math.pi * 440 * at / RATE_HZ))
        for at in range(RATE_HZ * WORD_MS // 1000)
    ),
).tobytes()


def mark_in(pcm: bytes) -> Mark | None:
    """The mark that a chunk begins with."""
    return find_marks(pcm)[0] if pcm.startswith(_SIGNATURE) else None


def answer_pcm(text: str) -> bytes:
    """``text`` spoken: one beep for each word, 16 kHz s16le."""
    return _WORD * len(text.split())
