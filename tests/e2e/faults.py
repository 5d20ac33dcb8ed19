"""Faults that a test does to processes from outside."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process hangs while the block runs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """Whatever file the process writes to while the block runs, there is no room.

    The limit on the size of files serves as the disk: it needs no privilege, and a process that
    already runs can be given it.
    """
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
