"""``robot-hub models``: recognition models that are fetched once and then lie on disk.

What a model is and where it lies is known to the agent that loads it; this is the one place where
the hub's package names that agent's code: by strings.
"""

from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from rich.console import Console
from rich.table import Table

ENTRIES: Mapping[str, str] = {
    "fetch": "agents.stt.models:fetch_model",
    "find": "agents.stt.models:find_model",
    "on_disk": "agents.stt.models:models_on_disk",
}


def pull(name: str) -> Path:
    """Fetch a faster-whisper model, with a progress bar on stderr; return where it lies.

    Raises:
        HubError: there is no model of that name, or no way to the model hub.
    """
    folder: Path = _entry("fetch")(name)
    return folder


def find(name: str) -> Path | None:
    """Where a faster-whisper model lies on this machine; None if it does not."""
    folder: Path | None = _entry("find")(name)
    return folder


def show(console: Console) -> None:
    """Print which recognition models there are, and which of them lie on disk."""
    table = Table("model", "on disk")
    for name, path in _entry("on_disk")().items():
        table.add_row(name, f"[green]{path}[/]" if path else "no")
    console.print(table)


def _entry(name: str) -> Any:
    return resolve_name(ENTRIES[name])
