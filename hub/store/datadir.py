"""The data directory: made private, and used by one hub at a time."""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType

from hub.errors import DataDirLocked, DataDirUnusable, DiskFull

LOCK_FILE = "hub.lock"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class DataDir:
    """A context manager that holds the directory's lock.

    The lock belongs to the open file, so that it ends with the process however that ends.

    Raises:
        DataDirLocked: another hub holds it; the text names its process.
        DataDirUnusable: it cannot be made, or nothing can be written into it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1

    def __enter__(self) -> "DataDir":
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            self._release()
            raise DataDirLocked(
                f"another hub (process {owner}) uses the data directory {self.path}"
            ) from error
        self._sign()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def _sign(self) -> None:
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            self._release()
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> DataDirUnusable:
        kind = DiskFull if error.errno in _NO_ROOM else DataDirUnusable
        return kind(f"the data directory {self.path} cannot be written: {error.strerror}")

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def owner_of(path: Path) -> int | None:
    """The process that holds the lock of the data directory ``path`` now, if anybody does; 0 where
    it did not say who it is."""
    try:
        lock = os.open(path / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        return int(text) if text.isdecimal() else 0
    finally:
        os.close(lock)
    return None
