"""What happens while the chosen engine cannot work: another planner, or patience."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import structlog

from agents.engines import choosing
from agents.engines.language.base import Prompt
from agents.planner.backends.base import Planner
from agents.runtime.errors import BackendUnavailable
from agents.runtime.progress import progress
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

RETRY_S = 2.0

log = structlog.get_logger(__name__)


Candidate = choosing.Candidate[Planner]
"""A planner that may be chosen."""


class FirstThatStarts:
    """The first of several planners that can be started answers, until the process ends."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self._chosen: Planner | None = None
        self.name = "auto"
        self.reason = ""
        """Why it is the one that was chosen, and what is wrong with those before it."""

    @property
    def capacity(self) -> int:
        """See ``Planner``; 0 until one is chosen."""
        return self._chosen.capacity if self._chosen is not None else 0

    @property
    def model(self) -> str:
        """See ``Planner``."""
        return self._chosen.model if self._chosen is not None else ""

    @property
    def counters(self) -> Counter[str]:
        """See ``Planner``."""
        return self._chosen.counters if self._chosen is not None else Counter()

    def facts(self) -> dict[str, str]:
        """What ``/health`` tells of the one that was chosen."""
        facts: dict[str, str] = getattr(self._chosen, "facts", dict)()
        return facts

    async def start(self) -> None:
        """Start one after the other until one can work.

        Raises:
            BackendUnavailable: none can.
        """
        self._chosen, self.reason = await choosing.first_started(self._candidates)
        self.name = self._chosen.name
        log.info("planner_chosen", backend=self.name, reason=self.reason)

    async def close(self) -> None:
        """Free the one that was chosen."""
        if self._chosen is not None:
            await self._chosen.close()

    def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        assert self._chosen is not None
        return self._chosen.answer(turn)

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """See ``Planner``."""
        assert self._chosen is not None
        return await self._chosen.plan(world, max_actions)

    def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        assert self._chosen is not None
        return self._chosen.chat(prompt)


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

    @property
    def counters(self) -> Counter[str]:
        """See ``Planner``."""
        return self._planner.counters

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

    def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        return self._planner.chat(prompt)
