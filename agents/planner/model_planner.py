"""A planner that thinks with a language model: prompts in, JSON text out, whatever the engine."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from agents.planner.answer import read_plan
from agents.planner.backends.base import ChatMessage, LanguageModel, Prompt
from agents.planner.prompt import answer_prompt, plan_prompt
from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

MAX_PLAN_CHARS = 32_768
MAX_QUOTED_CHARS = 2_000

_SELFTEST = TurnStart(user_text="hello", emotions=("neutral", "happy"))

log = structlog.get_logger(__name__)


class ModelPlanner:
    """Asks ``model`` for answers and plans; a plan that is none is asked for once more."""

    def __init__(self, model: LanguageModel) -> None:
        self._language_model = model
        self.name = model.name
        self.capacity = model.capacity

    @property
    def model(self) -> str:
        """See ``Planner``."""
        return self._language_model.model

    async def start(self) -> None:
        """Load the model and let it begin one answer.

        Raises:
            BackendUnavailable: it cannot be loaded, or does not answer as it should.
        """
        await self._language_model.start()
        try:
            async with aclosing(self.answer(_SELFTEST)) as pieces:
                await anext(pieces, "")
        except BackendBusy:
            log.info("selftest_skipped", reason="the model is busy")
        except AgentError as error:
            raise BackendUnavailable(f"{self._language_model.where}: {error}") from error
        log.info("model_ready", backend=self.name, model=self.model)

    async def close(self) -> None:
        """Free the model."""
        await self._language_model.close()

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        async with aclosing(self._language_model.write(answer_prompt(turn))) as pieces:
            async for piece in pieces:
                yield piece

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """See ``Planner``."""
        prompt = plan_prompt(world, max_actions)
        text = await self._whole(prompt)
        try:
            read_plan(text, max_actions)
        except AgentError as error:
            log.info("plan_repaired", reason=str(error))
            return await self._whole(_repairing(prompt, text, str(error)))
        return text

    async def _whole(self, prompt: Prompt) -> str:
        text = ""
        async with aclosing(self._language_model.write(prompt)) as pieces:
            async for piece in pieces:
                text += piece
                if len(text) > MAX_PLAN_CHARS:
                    break
        return text


def _repairing(prompt: Prompt, text: str, fault: str) -> Prompt:
    """Ask again, with what came and what is wrong with it."""
    came = ChatMessage("assistant", text[:MAX_QUOTED_CHARS] or "(nothing)")
    asked = ChatMessage(
        "user", f"That cannot be used: {fault}. Answer with the one JSON object and nothing else."
    )
    return prompt._replace(messages=(*prompt.messages, came, asked))
