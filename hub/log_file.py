"""The log file of a hub that no terminal and no service manager listens to: it cannot fill a disk."""

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE = "robot-hub.log"


class LogFile:
    """A text sink at ``path`` that holds at most ``max_bytes``; then it becomes ``path.1``, what was
    that becomes ``path.2``, and so on for ``kept`` files of the past.

    What this process writes past it, to its own stdout and stderr, goes into the same file.
    """

    def __init__(self, path: Path, max_bytes: int, kept: int) -> None:
        self._handler = _Handler(path, maxBytes=max_bytes, backupCount=kept, encoding="utf-8")
        self._handler.terminator = ""
        self._handler.adopt()

    def write(self, text: str) -> int:
        """Append ``text`` at a rotation's boundary, never across it.

        Raises:
            OSError: the disk has no room.
        """
        self._handler.handle(logging.makeLogRecord({"msg": text}))
        return len(text)

    def flush(self) -> None:
        """Every write is on its way to the file already."""


class _Handler(RotatingFileHandler):
    def doRollover(self) -> None:  # noqa: N802 - the standard library's name
        super().doRollover()
        self.adopt()

    def adopt(self) -> None:
        """Let the file descriptors of stdout and stderr follow the file."""
        if self.stream is not None:
            for descriptor in (1, 2):
                os.dup2(self.stream.fileno(), descriptor)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Let the caller know: here is nobody to complain to."""
        failure = sys.exc_info()[1]
        if failure is not None:
            raise failure


def history(path: Path) -> list[Path]:
    """The files of the log that exist, oldest first."""
    older = [
        (int(suffix), file)
        for file in path.parent.glob(f"{path.name}.*")
        if (suffix := file.name.removeprefix(f"{path.name}.")).isdecimal()
    ]
    files = [file for _, file in sorted(older, reverse=True)]
    return [*files, path] if path.exists() else files
