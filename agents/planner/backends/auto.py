"""The chosen server if it answers at start, else the reflex planner."""

from collections.abc import AsyncGenerator

import structlog

from agents.planner.backends.base import Planner
from agents.runtime.errors import BackendUnavailable
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

log = structlog.get_logger(__name__)


class FirstThatStarts:
    """Two planners of which the first that can be started answers, until the process ends."""

    def __init__(self, wanted: Planner, otherwise: Planner) -> None:
        self._chosen, self._otherwise = wanted, otherwise
        self.name, self.capacity = wanted.name, wanted.capacity

    async def start(self) -> None:
        """Start the first; where it is not available, the second."""
        try:
            await self._chosen.start()
        except BackendUnavailable as error:
            log.warning("planner_chosen", backend=self._otherwise.name, reason=str(error))
            await self._chosen.close()
            self._chosen = self._otherwise
            self.name = self._chosen.name
            await self._chosen.start()
        else:
            log.info("planner_chosen", backend=self.name, reason="its server answers")

    async def close(self) -> None:
        """Free the one that was chosen."""
        await self._chosen.close()

    def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        return self._chosen.answer(turn)

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """See ``Planner``."""
        return await self._chosen.plan(world, max_actions)
