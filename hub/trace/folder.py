"""The directory of traces, for those who may have them: what files it holds, and their bytes."""

import os
import re
from collections.abc import Generator
from pathlib import Path
from stat import S_ISREG
from typing import IO, NamedTuple

MOST_FILES = 1_000
"""Longest list; the newest come first."""
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}\.mcap")
_CHUNK_BYTES = 256 << 10
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""No link is followed, and a pipe is waited for by nobody."""


class TraceFile(NamedTuple):
    """A trace: its size at this moment, and when it last grew (Unix time)."""

    name: str
    size: int
    changed_s: float


class TraceFolder:
    """Only files that lie in ``path`` itself, are no links and are named as the recorder names
    them exist here. ``path`` None: the hub writes no traces. All methods block."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def files(self) -> list[TraceFile]:
        """The traces, the newest first; none where the directory cannot be read."""
        if self._path is None:
            return []
        found = []
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                        facts = entry.stat(follow_symlinks=False)
                        found.append(TraceFile(entry.name, facts.st_size, facts.st_mtime))
        except OSError:
            return []
        return sorted(found, key=lambda file: (-file.changed_s, file.name))[:MOST_FILES]

    def open(self, name: str) -> tuple[int, Generator[bytes, None, None]] | None:
        """How many bytes the trace ``name`` has now, and those in pieces; None if there is none.

        A trace that is being written grows on: what comes later is not among them."""
        if self._path is None or not _NAME.fullmatch(name):
            return None
        try:
            file = os.open(self._path / name, _OPEN)
        except OSError:
            return None
        facts = os.fstat(file)
        if not S_ISREG(facts.st_mode):
            os.close(file)
            return None
        return facts.st_size, _pieces(os.fdopen(file, "rb", buffering=0), facts.st_size)


def _pieces(file: IO[bytes], size: int) -> Generator[bytes, None, None]:
    with file:
        while size > 0 and (piece := file.read(min(size, _CHUNK_BYTES))):
            size -= len(piece)
            yield piece
