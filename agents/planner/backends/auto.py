"""What happens while the chosen server does not answer: another planner, or patience."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import structlog

from agents.planner.backends.base import Planner
from agents.runtime.errors import BackendUnavailable
from agents.runtime.progress import progress
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

RETRY_S = 2.0

log = structlog.get_logger(__name__)


class FirstThatStarts:
    """Two planners of which the first that can be started answers, until the process ends."""

    def __init__(self, wanted: Planner, otherwise: Planner) -> None:
        self._chosen, self._otherwise = wanted, otherwise
        self.name, self.capacity = wanted.name, wanted.capacity

    @property
    def model(self) -> str:
        """See ``Planner``."""
        return self._chosen.model

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


class OnceItStarts:
    """A planner whose server may come up later. Until then the agent is loading, and the hub lets
    the reflex planner answer."""

    def __init__(
        self, planner: Planner, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._planner = planner
        self._sleep = sleep
        self.name, self.capacity = planner.name, planner.capacity

    @property
    def model(self) -> str:
        """See ``Planner``."""
        return self._planner.model

    async def start(self) -> None:
        """Return once the server answers."""
        refusal = ""
        while True:
            try:
                await self._planner.start()
                return
            except BackendUnavailable as error:
                if str(error) != refusal:
                    refusal = str(error)
                    log.warning("waiting_for_server", reason=refusal)
                progress(f"waiting for {refusal}")
            await self._sleep(RETRY_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._planner.close()

    def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        return self._planner.answer(turn)

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """See ``Planner``."""
        return await self._planner.plan(world, max_actions)
