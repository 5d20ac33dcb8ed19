"""Several language models behind one: the first that is healthy answers.

Another model is asked only while nothing of an answer has been written: words that were spoken
cannot be taken back, so from the first piece on a failure is the answer's failure.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from math import inf

import structlog

from agents.engines.language.base import LanguageModel, Prompt
from agents.runtime.errors import AgentError, BackendBusy, BackendTimeout, BackendUnavailable

COOL_DOWN_S = 10.0
"""How long a model that failed once is asked only after all others."""
LONGEST_COOL_DOWN_S = 320.0
"""A server that is gone without a refusal costs each who tries it seconds, so it is tried ever more
seldom."""
PATIENCE_S = 2.0
"""Whoever gives up on an answer that has not begun by then gave up because of the model. The hub
waits a little longer before another planner answers, and no time limit here would have run out."""

PASSED_ON = (BackendUnavailable, BackendTimeout, BackendBusy)
"""Failures that say nothing about the next model, the one worth telling of last."""

log = structlog.get_logger(__name__)


def cool_down_s(failures: int) -> float:
    """How long a model that failed so often in a row is asked last: 10, 20, 40 … seconds."""
    return min(LONGEST_COOL_DOWN_S, COOL_DOWN_S * 2.0 ** min(failures - 1, 30))


def order(cooling_until: Sequence[float], now: float) -> list[int]:
    """Which models to ask, by index, the first first: the healthy as they are listed, then those
    that cool down, the soonest to be healthy first.

    Args:
        cooling_until: when the cool-down of each ends or ended, in seconds.
    """
    healthy = [i for i, until in enumerate(cooling_until) if until <= now]
    cooling = sorted((until, i) for i, until in enumerate(cooling_until) if until > now)
    return healthy + [i for _, i in cooling]


class Failover:
    """Asks ``models`` in their order, those that failed of late last. Those on ``standby`` come after
    them, and are started only when they are needed."""

    def __init__(
        self, models: Sequence[LanguageModel], standby: Sequence[LanguageModel] = ()
    ) -> None:
        self._at_start = len(models)
        models = [*models, *standby]
        self._models = models
        self._failures = [0] * len(models)
        self._cooling_until = [-inf] * len(models)
        self._started = [False] * len(models)
        self._latest = 0
        self.name = models[0].name
        self.capacity = models[0].capacity

    @property
    def model(self) -> str:
        """Of the model that answered last."""
        return self._models[self._latest].model

    @property
    def where(self) -> str:
        """All places, in order."""
        return ", ".join(model.where for model in self._models)

    async def start(self) -> None:
        """Start all that are not on standby at once; those that fail are started when needed.

        Raises:
            BackendUnavailable: none could be started.
        """
        async with asyncio.TaskGroup() as group:
            starts = [group.create_task(self._start(i)) for i in range(self._at_start)]
        errors = [start.result() for start in starts]
        for model, error in zip(self._models, errors, strict=False):
            if error is not None:
                log.warning("model_not_started", where=model.where, reason=str(error))
        if all(errors):
            raise BackendUnavailable("; ".join(map(str, errors)))

    async def close(self) -> None:
        """Close all of them."""
        for model in self._models:
            await model.close()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``.

        Raises:
            BackendUnavailable, BackendTimeout, BackendBusy: every model failed; the texts of all,
                the code of the one that is most likely to work if it is asked again.
        """
        errors: list[AgentError] = []
        for index in order(self._cooling_until, asyncio.get_running_loop().time()):
            begun = False
            try:
                async with aclosing(self._write(index, prompt)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except PASSED_ON as error:
                if begun:
                    raise
                errors.append(error)
        worst = next(e for kind in reversed(PASSED_ON) for e in errors if isinstance(e, kind))
        raise type(worst)("; ".join(map(str, errors)))

    async def _write(self, index: int, prompt: Prompt) -> AsyncGenerator[str, None]:
        """The text of one model, which is remembered as healthy or failed."""
        loop, model = asyncio.get_running_loop(), self._models[index]
        asked_at, is_open = loop.time(), True
        try:
            if not self._started[index]:
                await model.start()
                self._started[index] = True
            async with aclosing(model.write(prompt)) as pieces:
                async for piece in pieces:
                    if is_open:
                        is_open = False
                        self._answers(index)
                    yield piece
            is_open = False
        except AgentError as error:
            is_open = False
            if not isinstance(error, PASSED_ON):
                raise
            self._fails(index, str(error))
            raise type(error)(f"{model.where}: {error}") from error
        finally:
            if is_open and loop.time() - asked_at > PATIENCE_S:
                self._fails(index, "given up before it answered")

    async def _start(self, index: int) -> BackendUnavailable | None:
        try:
            await self._models[index].start()
        except BackendUnavailable as error:
            self._cool(index)
            return error
        self._started[index] = True
        return None

    def _answers(self, index: int) -> None:
        self._failures[index], self._cooling_until[index] = 0, -inf
        if index != self._latest:
            self._latest = index
            model = self._models[index]
            log.info("model_changed", where=model.where, model=model.model)

    def _fails(self, index: int, reason: str) -> None:
        self._cool(index)
        log.warning("model_failed", where=self._models[index].where, reason=reason)

    def _cool(self, index: int) -> None:
        self._failures[index] += 1
        pause_s = cool_down_s(self._failures[index])
        self._cooling_until[index] = asyncio.get_running_loop().time() + pause_s
