"""What the recorder asks of the place it writes to."""

from collections.abc import Sequence
from typing import Any, Protocol

from agents.runtime.service import Backend
from protocols.messages.trace import TraceBatch

TAPES = {
    "mcap": "agents.recorder.backends.mcap:McapTape",
    "scripted": "agents.recorder.backends.scripted:ScriptedTape",
}
"""Tapes by the name that settings call them."""


class TapeFull(Exception):
    """No more may be written: the limit is reached, or the disk refuses. The text says which."""


class Tape(Backend, Protocol):
    """One trace after another, each of one run of a hub."""

    def begin(self, hub: TraceBatch) -> str:
        """Start a new trace of the run that ``hub`` speaks of; return what it is called.

        Raises:
            TapeFull: it cannot be written.
        """

    def write(self, entries: Sequence[dict[str, Any]]) -> None:
        """Add entries; they are safe from the end of this process when this returns.

        Raises:
            TapeFull: they are not, and nothing that follows would be.
            KeyError: one of them is no entry.
        """

    def end(self) -> None:
        """The trace is complete."""
