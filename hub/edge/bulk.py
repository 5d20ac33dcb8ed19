"""Large bodies beside robots that are being answered: how fast they are read, and how threads work
on them without standing in the loop's way.

The loop that reads bodies also paces the robots' audio. A body comes as fast as its sender can
write, and twenty at once would fill every round of the loop; what is not read waits at its sender,
by the back pressure of TCP.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from hub.edge.limits import PARSED_IN_PLACE_BYTES

BYTES_PER_S = 64 * 1024 * 1024
"""Of all large bodies together, while a robot is being answered."""
BURST_S = 0.01
"""What may be read at once, as time at this rate."""
BLOCK_BYTES = 64 * 1024
"""What a thread looks at in one step."""
CRUMB_BYTES = 8 * 1024
"""What is smaller is laid together."""
BREATH_S = 400e-6
"""After each block of a large body a thread rests for longer than another one takes to wake up: else
the loop would get the interpreter only by force, and lose it again at its next call of the system."""

Piece = bytes | bytearray


def nobody_is_answered() -> bool:
    """For an edge without robots."""
    return False


class Pace:
    """Spreads the reading of large bodies. ``held`` says whether a robot is being answered."""

    def __init__(
        self, held: Callable[[], bool], clock_s: Callable[[], float], rate: float = BYTES_PER_S
    ) -> None:
        self._held = held
        self._clock_s = clock_s
        self._rate = rate
        self._due_s = 0.0

    async def read(self, size: int) -> None:
        """So many bytes of a large body were read: return when there may be more."""
        now_s = self._clock_s()
        self._due_s = max(self._due_s, now_s - BURST_S)
        if not self._held():
            return
        self._due_s += size / self._rate
        if self._due_s > now_s:
            await asyncio.sleep(self._due_s - now_s)


def blocks(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """All ``pieces`` block by block. Beyond what is small enough for the loop that is for a thread,
    which rests between them."""
    worked = 0
    for piece in pieces:
        for start in range(0, len(piece), BLOCK_BYTES):
            if worked >= PARSED_IN_PLACE_BYTES:
                time.sleep(BREATH_S)
            block = bytes(memoryview(piece)[start : start + BLOCK_BYTES])
            worked += len(block)
            yield block


def put_behind(pieces: list[Piece], piece: bytes) -> None:
    """What came next. Crumbs are laid together: each object takes more than they do."""
    last = pieces[-1] if pieces else None
    if len(piece) >= CRUMB_BYTES:
        pieces.append(piece)
    elif isinstance(last, bytearray) and len(last) < BLOCK_BYTES:
        last += piece
    elif piece:
        pieces.append(bytearray(piece))


def joined(pieces: Sequence[Piece]) -> Piece:
    """All ``pieces`` in one."""
    if len(pieces) == 1:
        return pieces[0]
    whole, end = bytearray(sum(map(len, pieces))), 0
    for block in blocks(pieces):
        whole[end : end + len(block)] = block
        end += len(block)
    return whole


def text_blocks(content: str) -> Iterator[str]:
    """The blocks of a text, likewise."""
    for start in range(0, len(content), BLOCK_BYTES):
        if start >= PARSED_IN_PLACE_BYTES:
            time.sleep(BREATH_S)
        yield content[start : start + BLOCK_BYTES]
