"""Memory of an agent: what is loaded stays out of the collector's way, and what was unloaded really
goes back to the operating system."""

import ctypes
import gc
import os
from contextlib import suppress
from pathlib import Path

_MIB = 1 << 20


def settle_again() -> None:
    """An engine was loaded: keep the collector from walking it (see ``protocols.heap``); nothing where
    nothing is settled (in tests)."""
    if gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def release() -> None:
    """Give back what an engine has left behind.

    Its cycles are among what settling hid from the collector; and the C library keeps what is
    freed for itself until it is told not to. Stalls the loop for some 50 ms for every million of
    objects that are alive, so it is done where an engine was unloaded, and nowhere else.
    """
    settled = gc.get_freeze_count() > 0
    gc.unfreeze()
    gc.collect()
    if settled:
        gc.freeze()
    _trim()


def resident_mib() -> int:
    """Resident memory of this process and of those it has started, in MiB; 0 where the system does
    not say."""
    return sum(map(_resident_bytes, _with_descendants(os.getpid()))) // _MIB


def _trim() -> None:
    # Only glibc has it; musl and others return memory by themselves.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _with_descendants(pid: int) -> set[int]:
    found = {pid}
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found |= _with_descendants(int(child))
    return found


def _resident_bytes(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
