"""Large bytes in pieces, as they came in.

To lay 25 MiB together, or to give them back at once, takes the interpreter for as long as several
frames of everybody's audio; in pieces every step is short.
"""

import io
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeVar

from hub.edge.bulk import BREATH_S, Piece, joined, put_behind

T = TypeVar("T", bound=Piece)

_AT_ONCE = 4
"""Pieces that are given back before a thread rests."""


class Pieces:
    """Bytes that grow, are read as a file, and are let go piece by piece."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces: list[Piece] = []
        self._size = 0
        for piece in pieces:
            self.write(piece)

    def __len__(self) -> int:
        return self._size

    def write(self, piece: bytes) -> int:
        """Add what came next; how much that is."""
        put_behind(self._pieces, piece)
        self._size += len(piece)
        return len(piece)

    def head(self, size: int) -> bytes:
        """The first so many bytes."""
        taken = bytearray()
        for piece in self._pieces:
            taken += piece[: size - len(taken)]
            if len(taken) == size:
                break
        return bytes(taken)

    def open(self) -> "PiecesFile":
        """A file to read them from its beginning."""
        return PiecesFile(self._pieces)

    def whole(self) -> bytes:
        """All of them in one; blocking if they are many."""
        return bytes(joined(self._pieces))

    def let_go(self) -> None:
        """Hold nothing any more; blocking."""
        self._size = 0
        for _ in taken_from(self._pieces):
            pass


class PiecesFile(io.RawIOBase):
    """Reads pieces one after the other; what is read at once ends with a piece."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._starts: list[int] = []
        self._size = 0
        for piece in pieces:
            self._starts.append(self._size)
            self._size += len(piece)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("no place before the beginning")
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, more than none before the end; ``-1``: to the end of a piece."""
        if self._at >= self._size:
            return b""
        number = bisect_right(self._starts, self._at) - 1
        start = self._at - self._starts[number]
        rest = memoryview(self._pieces[number])[start:]
        part = bytes(rest if size < 0 else rest[:size])
        self._at += len(part)
        return part


def taken_from(pieces: list[T]) -> Iterator[T]:
    """All ``pieces`` in their order, each let go with the next one; for a thread, which rests."""
    pieces.reverse()
    count = 0
    while pieces:
        yield pieces.pop()
        count += 1
        if count % _AT_ONCE == 0 and pieces:
            time.sleep(BREATH_S)
