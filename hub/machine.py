"""How busy this machine is, as Linux tells; nothing where it does not."""

from pathlib import Path
from typing import NamedTuple


class Use(NamedTuple):
    """Percentages of the whole machine; None where they are not known."""

    cpu_percent: float | None = None
    memory_percent: float | None = None


class Machine:
    """Reads ``/proc``. Processor time is that since the last ``read``, or since the machine's
    start."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._last = (0, 0)

    def read(self) -> Use:
        """The machine at this moment."""
        try:
            return Use(self._cpu(), self._memory())
        except (OSError, ValueError, KeyError):
            return Use()

    def _cpu(self) -> float:
        fields = (self._proc / "stat").read_text().split(maxsplit=9)[1:9]
        spent = [int(field) for field in fields]
        now = sum(spent), spent[3] + spent[4]
        whole, idle = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        return round(100 * (1 - idle / whole), 1) if whole else 0.0

    def _memory(self) -> float:
        lines = (self._proc / "meminfo").read_text().splitlines()
        kib = {name: int(rest.split()[0]) for name, _, rest in (li.partition(":") for li in lines)}
        return round(100 * (1 - kib["MemAvailable"] / kib["MemTotal"]), 1)
