"""The store without a disk, for virtual time. What it holds ends with it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from hub.open_turn import OpenTurn
from hub.store.base import HISTORY_LIMIT, HISTORY_MAX_AGE_S, AuditEntry, Leftover, Record
from protocols.messages.turn import Exchange


@dataclass
class _Robot:
    epoch: int = 0
    turn: int = 0
    seen_s: float = 0.0
    turns: dict[int, Exchange] = field(default_factory=dict)
    open_turn: OpenTurn | None = None
    open_s: float = 0.0


class MemoryStore:
    """A ``Store`` in dictionaries. ``clock`` returns seconds, as the wall clock does elsewhere."""

    def __init__(self, clock: Callable[[], float], hub_id: str = "hub-in-memory") -> None:
        self._clock = clock
        self._robots: dict[str, _Robot] = {}
        self._audit: list[AuditEntry] = []
        self._hub_id = hub_id
        self._boot = 0

    @property
    def hub_id(self) -> str:
        return self._hub_id

    @property
    def boot(self) -> int:
        return self._boot

    def _robot(self, robot: str) -> _Robot:
        return self._robots.setdefault(robot, _Robot())

    async def next_epoch(self, robot: str) -> int:
        state = self._robot(robot)
        state.epoch += 1
        return state.epoch

    async def reserve_turns(self, robot: str, count: int) -> range:
        state = self._robot(robot)
        first = state.turn + 1
        state.turn += count
        return range(first, first + count)

    async def append_turn(self, robot: str, record: Record) -> None:
        state = self._robot(robot)
        state.turns[record.exchange.turn] = record.exchange
        state.seen_s = self._clock()
        if state.open_turn is not None and state.open_turn.turn == record.exchange.turn:
            state.open_turn = None

    async def keep_open(self, turns: Mapping[str, OpenTurn | None]) -> None:
        for robot, turn in turns.items():
            state = self._robot(robot)
            state.open_turn, state.open_s = turn, self._clock()

    async def open_turns(self) -> tuple[Leftover, ...]:
        now = self._clock()
        return tuple(
            Leftover(robot, state.open_turn, now - state.open_s)
            for robot, state in self._robots.items()
            if state.open_turn is not None
        )

    async def load_history(
        self, robot: str, limit: int = HISTORY_LIMIT, max_age_s: float = HISTORY_MAX_AGE_S
    ) -> tuple[Exchange, ...]:
        state = self._robot(robot)
        if self._clock() - state.seen_s > max_age_s:
            state.turns.clear()
        return tuple(state.turns[turn] for turn in sorted(state.turns)[-limit:])

    async def seen(self, robots: Collection[str]) -> None:
        for robot in robots:
            self._robot(robot).seen_s = self._clock()

    async def forget(self, robot: str) -> int:
        turns = self._robot(robot).turns
        count = len(turns)
        turns.clear()
        return count

    async def expire(
        self, max_age_s: float = HISTORY_MAX_AGE_S, connected: Collection[str] = ()
    ) -> frozenset[str]:
        await self.seen(connected)
        for robot, state in self._robots.items():
            if self._clock() - state.seen_s > max_age_s:
                await self.forget(robot)
        return frozenset(robot for robot, state in self._robots.items() if state.turns)

    async def audit(self, event: str, detail: str = "") -> None:
        self._audit.append(AuditEntry(self._clock(), event, detail))

    async def read_audit(self, limit: int = 100) -> tuple[AuditEntry, ...]:
        return tuple(self._audit[-limit:])

    async def open(self) -> None:
        self._boot += 1

    async def close(self) -> None:
        return
