"""A store whose disk fills up when a test says so."""

from collections.abc import Callable, Collection, Mapping

from hub.errors import StoreFailed
from hub.open_turn import OpenTurn
from hub.store.base import HISTORY_LIMIT, HISTORY_MAX_AGE_S, Record
from hub.store.memory import MemoryStore
from protocols.messages.turn import Exchange


class FillingStore(MemoryStore):
    """While ``full``, everything that writes raises ``StoreFailed``, and nothing is written."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.full = False

    def _write(self) -> None:
        if self.full:
            raise StoreFailed("hub.db: database or disk is full")

    async def next_epoch(self, robot: str) -> int:
        self._write()
        return await super().next_epoch(robot)

    async def reserve_turns(self, robot: str, count: int) -> range:
        self._write()
        return await super().reserve_turns(robot, count)

    async def append_turn(self, robot: str, record: Record) -> None:
        self._write()
        await super().append_turn(robot, record)

    async def keep_open(self, turns: Mapping[str, OpenTurn | None]) -> None:
        self._write()
        await super().keep_open(turns)

    async def load_history(
        self, robot: str, limit: int = HISTORY_LIMIT, max_age_s: float = HISTORY_MAX_AGE_S
    ) -> tuple[Exchange, ...]:
        self._write()
        return await super().load_history(robot, limit, max_age_s)

    async def seen(self, robots: Collection[str]) -> None:
        self._write()
        await super().seen(robots)

    async def expire(
        self, max_age_s: float = HISTORY_MAX_AGE_S, connected: Collection[str] = ()
    ) -> frozenset[str]:
        self._write()
        return await super().expire(max_age_s, connected)
