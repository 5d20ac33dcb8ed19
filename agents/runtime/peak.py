"""How much memory an agent's process has held at the most."""

import os
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_mib() -> float:
    """Peak resident memory in MiB: of this process and of the children it has now, where the system
    says so (Linux); pages that they share count once for each. Elsewhere of the process, and of
    the largest child that has ended."""
    if (_PROC / "self" / "status").is_file():
        return sum(map(_peak_kib, family(os.getpid()))) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    held = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_maxrss for usage in held) * unit / (1 << 20)


def family(pid: int) -> Iterator[int]:
    """``pid``, its children, and theirs."""
    yield pid
    for tasks in _PROC.glob(f"{pid}/task/*/children"):
        with suppress(OSError):
            for child in tasks.read_text().split():
                yield from family(int(child))


def peak_in(status: str) -> int:
    """Peak resident memory in KiB, in the text of a process's ``/proc/PID/status``; 0 if it has
    none (a kernel thread, a zombie)."""
    found = _PEAK.search(status)
    return int(found.group(1)) if found else 0


def _peak_kib(pid: int) -> int:
    try:
        return peak_in((_PROC / str(pid) / "status").read_text())
    except OSError:
        return 0
