"""Who supervises the hub of a data directory: a file that the supervisor holds locked as long as it
lives, so that nobody takes a process for it that only has its number.
"""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

FILE = "robot-hub.pid"
_PATIENCE_S = 1.0
"""Who looks holds the lock for an instant, and who signs needs one: neither is an answer."""
_POLL_S = 0.02
_START_TIME = 19
"""Place of ``starttime`` in ``/proc/PID/stat`` after the command (proc_pid_stat(5), field 22)."""


class Record(NamedTuple):
    """What a supervisor says of itself. ``started_ticks`` is when the kernel started it; ``given``
    are the settings of its command line, ``cwd`` is where it found its ``.env``, ``log`` is its log
    file, empty where it writes to a terminal or to somebody else's log."""

    pid: int
    started_ticks: int
    url: str = ""
    log: str = ""
    cwd: str = ""
    drain_s: float = 0.0
    given: Mapping[str, str] = {}

    @property
    def age_s(self) -> float:
        """For how long it has been running."""
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        return max(0.0, now_s - self.started_ticks / os.sysconf("SC_CLK_TCK"))


class Taken(Exception):
    """Another supervisor holds the file; the text is one sentence."""


class PidFile:
    """The file in ``data_dir``, held by this process until it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._file = -1

    def sign(self, record: Record) -> None:
        """Hold the file and write ``record`` into it; first the process id, on a line of its own.

        Raises:
            Taken: another process holds it.
            OSError: it cannot be written.
        """
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + _PATIENCE_S
        while not _locked(self._file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise Taken(f"another robot-hub runs with the data directory {self._path.parent}")
            time.sleep(_POLL_S)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{record.pid}\n{json.dumps(record._asdict())}\n".encode(), 0)

    def clear(self) -> None:
        """Nobody supervises any more."""
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.close(self._file)


def mine(**said: Any) -> Record:
    """The record of this process."""
    pid = os.getpid()
    return Record(pid, started_ticks(pid), cwd=os.getcwd(), **said)


def running(data_dir: Path) -> Record | None:
    """The supervisor of ``data_dir`` that lives; None if there is none."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            file = os.open(data_dir / FILE, os.O_RDONLY)
        except OSError:
            return None
        try:
            if _locked(file, fcntl.LOCK_SH):
                return None
            record = _read(file)
        finally:
            os.close(file)
        if record is not None and is_alive(record):
            return record
        time.sleep(_POLL_S)  # it is just signing, or just leaving
    return None


def is_alive(record: Record) -> bool:
    """Whether the process of ``record`` still is that process."""
    return started_ticks(record.pid) == record.started_ticks


def started_ticks(pid: int) -> int:
    """When the kernel started a process, in its ticks since the boot; -1 if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return -1
    state, *fields = stat.rpartition(")")[2].split()
    return -1 if state in "ZX" else int(fields[_START_TIME - 1])


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> Record | None:
    try:
        _, _, text = os.pread(file, 65_536, 0).decode().partition("\n")
        fields = json.loads(text)
        return Record(**fields)
    except (ValueError, TypeError):
        return None
