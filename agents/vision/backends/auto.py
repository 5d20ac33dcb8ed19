"""Which of several models sees: hosted ones while they answer, then what this machine has."""

from collections.abc import AsyncGenerator, Sequence

import structlog

from agents.engines.choosing import Candidate, first_started
from agents.engines.language.base import LanguageModel, Prompt
from agents.engines.language.failover import Failover
from agents.runtime.errors import BackendUnavailable
from agents.vision.backends.seeing import facts_of

Candidates = Sequence[Candidate[LanguageModel]]

log = structlog.get_logger(__name__)


class FirstOf:
    """The first of several models that can be started sees, until it is closed."""

    name = "first"

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._chosen: LanguageModel | None = None
        self.capacity = 1
        self.reason = ""

    @property
    def chosen(self) -> LanguageModel:
        """The one that has started."""
        assert self._chosen is not None
        return self._chosen

    @property
    def model(self) -> str:
        """See ``LanguageModel``."""
        return self._chosen.model if self._chosen is not None else ""

    @property
    def where(self) -> str:
        """See ``LanguageModel``."""
        return self._chosen.where if self._chosen is not None else "this machine"

    async def start(self) -> None:
        """Start one after the other until one can work.

        Raises:
            BackendUnavailable: none can.
        """
        self._chosen, self.reason = await first_started(self._candidates)
        self.capacity = self._chosen.capacity

    async def close(self) -> None:
        """Free the one that was chosen."""
        chosen, self._chosen = self._chosen, None
        if chosen is not None:
            await chosen.close()

    def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        return self.chosen.write(prompt)


class Chain:
    """Hosted models in their order, local ones on standby behind them. Where no hosted one can be
    started, the first local one that can, or else ``last``."""

    def __init__(
        self, hosted: Candidates, local: Candidates, last: Candidate[LanguageModel]
    ) -> None:
        self._hosted = hosted
        self._local = local
        self._last = last
        self._engine: Failover | LanguageModel | None = None
        self.name = "auto"
        self.capacity = 1
        self.reason = ""
        """Why it is what was chosen, and what is wrong with what would have gone before it."""

    @property
    def model(self) -> str:
        """See ``LanguageModel``."""
        return self._engine.model if self._engine is not None else ""

    @property
    def where(self) -> str:
        """See ``LanguageModel``."""
        return self._engine.where if self._engine is not None else ""

    async def start(self) -> None:
        """Start what there is.

        Raises:
            BackendUnavailable: nothing can be started.
        """
        refusals: list[str] = []
        self._engine = await self._hosted_ones(refusals)
        if self._engine is None:
            first = FirstOf([*self._local, self._last])
            await first.start()
            self._engine, self.reason = first.chosen, first.reason
            refusals = [f"{self.reason}", *refusals]
        self.name, self.capacity = self._engine.name, self._engine.capacity
        self.reason = "; ".join(filter(None, refusals))
        log.info("vision_chosen", backend=self.name, reason=self.reason)

    async def close(self) -> None:
        """Free all of them."""
        if self._engine is not None:
            await self._engine.close()

    def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        assert self._engine is not None
        return self._engine.write(prompt)

    def facts(self) -> dict[str, str]:
        """What the engine tells of itself."""
        return facts_of(self._engine)

    async def _hosted_ones(self, refusals: list[str]) -> Failover | None:
        """The hosted models as one, started; what is wrong with those that cannot be goes into
        ``refusals``, behind the reason."""
        made, reasons = [], []
        for candidate in self._hosted:
            try:
                made.append(candidate.make())
                reasons.append(candidate.reason)
            except BackendUnavailable as error:
                refusals.append(f"{candidate.name}: {error}")
        if not made:
            return None
        standby = [FirstOf(self._local)] if self._local else []
        failover = Failover(made, standby)
        try:
            await failover.start()
        except BackendUnavailable as error:
            await failover.close()
            refusals.append(str(error))
            return None
        refusals.insert(0, ", then ".join(reasons))
        return failover
