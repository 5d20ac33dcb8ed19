"""The store of one seed, as slow as a disk, and what it must not forget (I9)."""

import asyncio
import random
from typing import Any

from hub.store.base import HISTORY_LIMIT, Record, Store
from hub.store.memory import MemoryStore
from tests.simulation.checks import Watch
from tests.virtual_time import clock_ns


class Disk:
    """A ``Store`` that outlives every hub. One writer, which takes its time: what it is at when
    the process is killed is lost."""

    def __init__(self, memory: Store, chance: random.Random, slow: bool, watch: Watch) -> None:
        self.hub_id = memory.hub_id
        self._memory, self._chance, self._slow, self._watch = memory, chance, slow, watch
        self._writer = asyncio.Lock()

    @property
    def boot(self) -> int:
        return self._memory.boot

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._memory, name)

        async def in_turn(*args: Any, **options: Any) -> Any:
            async with self._writer:
                # No disk answers in the same step of the loop.
                await asyncio.sleep(self._chance.uniform(0.0, 0.02) if self._slow else 0)
                done = await operation(*args, **options)
                self._saw(name, args, done)
                return done

        return in_turn

    def _saw(self, operation: str, args: tuple[Any, ...], done: Any) -> None:
        match operation, args:
            case "append_turn", (robot, Record(exchange=exchange)):
                self._watch.stored(robot, exchange)
            case "load_history", (robot,):
                self._watch.remembered(robot, done, HISTORY_LIMIT)


def new_memory() -> MemoryStore:
    """The store of one seed."""
    return MemoryStore(lambda: clock_ns() / 1e9)
