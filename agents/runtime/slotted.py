"""A backend whose engines stand in a slot: what all of them have in common."""

from collections import Counter
from typing import Generic, TypeVar

from agents.runtime.service import Backend
from agents.runtime.slot import EngineSlot

B = TypeVar("B", bound=Backend)


class Slotted(Generic[B]):
    """See ``Backend``. What it says of itself is true of the engine that serves, or of the last one
    that did; a trade adds what it leases an engine for."""

    def __init__(self, slot: EngineSlot[B]) -> None:
        self._slot = slot
        self._retired: Counter[str] = Counter()
        slot.on_retire(self._retire)

    @property
    def name(self) -> str:
        """Of the engine, as settings call it."""
        return self._slot.about.backend

    @property
    def capacity(self) -> int:
        """How much it serves at once."""
        return self._slot.about.capacity

    @property
    def model(self) -> str:
        """What was loaded, for people."""
        return self._slot.about.model

    @property
    def counters(self) -> Counter[str]:
        """What all engines that ever served have counted, where they count."""
        counted = Counter(self._retired)
        for engine in self._slot.engines:
            counted.update(getattr(engine, "counters", {}))
        return counted

    async def start(self) -> None:
        """See ``EngineSlot.start``."""
        await self._slot.start()

    async def close(self) -> None:
        """Free every engine."""
        await self._slot.close()

    def _retire(self, engine: B) -> None:
        """An engine leaves the slot; what it has counted is kept."""
        self._retired.update(getattr(engine, "counters", {}))
