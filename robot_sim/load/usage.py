"""What processes of this machine take: CPU and memory, from /proc."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(rb"^Pss:\s+(\d+) kB$", re.MULTILINE)
_MIB = 1024.0

Processes = Callable[[], Mapping[str, int]]
"""Process ids by name, as they are now: a process may be restarted under another id."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that processes have spent so far.

    Raises:
        OSError: one of them is gone.
    """
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def pss_mib(pid: int) -> float:
    """Proportional set size: a page that several processes share counts by its share.

    Raises:
        OSError: it is gone, or another user's.
    """
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
    return int(found[1]) / _MIB if found else 0.0


def running_under(supervisor_pid: int) -> dict[str, int]:
    """The supervisor of a hub and what it started: process ids by the name of their module."""
    found = {"supervisor": supervisor_pid}
    with suppress(OSError):
        children = Path(f"/proc/{supervisor_pid}/task/{supervisor_pid}/children").read_text()
        for child in map(int, children.split()):
            with suppress(OSError, ValueError, IndexError):
                command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                name = command[command.index(b"-m") + 1].decode().removeprefix("agents.")
                found[name if name not in found else f"{name} ({child})"] = child
    return found


class Memory(NamedTuple):
    """PSS by process at one moment, ``at_s`` seconds after the start."""

    at_s: float
    mib: Mapping[str, float]

    @property
    def total_mib(self) -> float:
        return sum(self.mib.values())


class Meter:
    """Follows processes that come and go. ``cpu`` is seconds by name, of all lives together; what
    a process did between its last look and its end is missing."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._seen: dict[int, tuple[str, float, float]] = {}
        self.memory: list[Memory] = []

    def look(self, at_s: float, *, begin: bool = False) -> None:
        """Read everything; ``begin`` counts CPU from here on."""
        if begin:
            self._seen.clear()
        pss: dict[str, float] = {}
        for name, pid in self._processes().items():
            with suppress(OSError):
                spent = cpu_seconds([pid])
                # A process that appears later has spent all its time since the beginning.
                first = spent if begin else self._seen.get(pid, (name, 0.0, 0.0))[1]
                self._seen[pid] = (name, first, spent)
                pss[name] = pss_mib(pid)
        if pss:
            self.memory.append(Memory(at_s, pss))

    @property
    def cpu_s(self) -> dict[str, float]:
        """Seconds of CPU by name since ``begin``."""
        spent: dict[str, float] = {}
        for name, first, last in self._seen.values():
            spent[name] = spent.get(name, 0.0) + last - first
        return spent
