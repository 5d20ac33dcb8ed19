"""A tape in memory, that is full when its script says so."""

from collections.abc import Sequence
from typing import Any

from agents.recorder.backends.base import TapeFull
from protocols.messages.trace import TraceBatch


class ScriptedTape:
    """Keeps what is written; takes ``room`` entries in all."""

    name = "scripted"

    def __init__(self, room: int = 1_000_000) -> None:
        self.begun: list[TraceBatch] = []
        self.entries: list[dict[str, Any]] = []
        self._room = room

    async def start(self) -> None:
        """Nothing is to be loaded."""

    async def close(self) -> None:
        """Nothing is to be freed."""

    def begin(self, hub: TraceBatch) -> str:
        self.begun.append(hub)
        return f"trace {len(self.begun)}"

    def write(self, entries: Sequence[dict[str, Any]]) -> None:
        if len(self.entries) + len(entries) > self._room:
            raise TapeFull(f"room for {self._room} entries")
        self.entries += entries

    def end(self) -> None:
        """What was written stays."""
