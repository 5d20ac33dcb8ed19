"""How often each process was started: the supervisor counts and writes it down, the hub shows it.

A small file in the data directory, as in ``hub/degraded.py``: a hub that is started again must
still know that it was.
"""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

FILE = "starts.json"


class StartCounts:
    """The counts of one run of the supervisor. A disk that takes no file costs them, nothing else."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> None:
        """A process is being started."""
        self._counts[name] += 1
        with suppress(OSError):
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(self._counts))
            fresh.replace(self._path)

    def clear(self) -> None:
        """Nothing is supervised: there is nothing to tell."""
        self._counts.clear()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def read_restarts(data_dir: Path) -> dict[str, int]:
    """How often each process had to be started again; empty where nobody supervises."""
    try:
        found = json.loads((data_dir / FILE).read_text())
        return {str(name): max(0, int(starts) - 1) for name, starts in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
