"""Which processes cannot be kept running: the supervisor writes it down, the hub shows it.

It is a small file in the data directory, because the hub may be started again at any moment and
must still know.
"""

import json
from contextlib import suppress
from pathlib import Path

FILE = "degraded.json"


class DegradedList:
    """The list in ``data_dir``. A disk that takes no file costs the list, nothing else."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._why: dict[str, str] = {}

    def note(self, name: str, why: str) -> None:
        """A process is degraded for a reason, or, if that is empty, is tried once more."""
        if why:
            self._why[name] = why
        elif self._why.pop(name, None) is None:
            return
        with suppress(OSError):
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(self._why))
            fresh.replace(self._path)

    def clear(self) -> None:
        """Nothing is supervised: there is nothing to tell."""
        self._why.clear()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def read_degraded(data_dir: Path) -> dict[str, str]:
    """Why each degraded process is so, by its name; empty where nobody wrote anything."""
    try:
        found = json.loads((data_dir / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(why) for name, why in found.items()} if isinstance(found, dict) else {}
