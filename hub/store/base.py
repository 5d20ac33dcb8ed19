"""What the hub remembers between connections and between its own runs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hub.open_turn import OpenTurn
from protocols.messages.turn import Exchange

HISTORY_LIMIT = 20
"""Turns that a planner is shown."""
HISTORY_MAX_AGE_S = 1800.0
"""How long after a disconnect a conversation is kept."""


@dataclass(frozen=True, slots=True)
class Record:
    """A turn as it enters the history. ``exchange.turn`` is its key: a second record of the same
    turn of a robot replaces the first."""

    session: str
    exchange: Exchange
    outcome: str = "done"


class Leftover(NamedTuple):
    """An open turn of an earlier run; it was written ``age_s`` seconds ago."""

    robot: str
    turn: OpenTurn
    age_s: float


class AuditEntry(NamedTuple):
    """Something a person may want to trace later: a token made, a robot forgotten."""

    at_s: float
    event: str
    detail: str


class Store(Protocol):
    """Numbers that are never used twice, and the history as it was *heard*.

    Whatever a coroutine has returned from survives ``kill -9``. All ages are by wall clock, since
    a monotonic one does not outlive the machine. Any coroutine raises ``StoreFailed`` where the
    disk does not do its part.
    """

    @property
    def hub_id(self) -> str:
        """Name of this installation, made once; paired robots remember it."""

    @property
    def boot(self) -> int:
        """Number of this run of the hub, from 1."""

    async def next_epoch(self, robot: str) -> int:
        """A number for a new owner connection, higher than every one before it."""

    async def reserve_turns(self, robot: str, count: int) -> range:
        """``count`` turn numbers of a robot, each higher than all that were ever reserved."""

    async def append_turn(self, robot: str, record: Record) -> None:
        """Commit a turn to the robot's history."""

    async def keep_open(self, turns: Mapping[str, OpenTurn | None]) -> None:
        """Write down robots' turns under way, in place of what was written before; None: there is
        none. ``append_turn`` of the same turn ends it too."""

    async def open_turns(self) -> tuple[Leftover, ...]:
        """What ``keep_open`` has written last."""

    async def load_history(
        self, robot: str, limit: int = HISTORY_LIMIT, max_age_s: float = HISTORY_MAX_AGE_S
    ) -> tuple[Exchange, ...]:
        """The robot's last turns, oldest first; nothing, and nothing left on disk, if it was last
        seen more than ``max_age_s`` ago."""

    async def seen(self, robots: Collection[str]) -> None:
        """These robots are or were until now connected: their history does not age."""

    async def forget(self, robot: str) -> int:
        """Delete the robot's history; return how many turns that were. Its numbers stay."""

    async def expire(
        self, max_age_s: float = HISTORY_MAX_AGE_S, connected: Collection[str] = ()
    ) -> frozenset[str]:
        """Delete the history of robots not seen for ``max_age_s``; return those others of which
        there is one. ``connected`` robots count as seen now."""

    async def audit(self, event: str, detail: str = "") -> None:
        """Write a line into the audit."""

    async def read_audit(self, limit: int = 100) -> tuple[AuditEntry, ...]:
        """The last lines of the audit, oldest first."""

    async def open(self) -> None:
        """Make ready; counts one boot.

        Raises:
            StoreTooNew: a newer Robot Hub wrote it.
            DataDirUnusable: it cannot be read or written.
        """

    async def close(self) -> None:
        """Write everything back and let go."""
