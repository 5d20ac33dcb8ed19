"""A planner that thinks with a language model: prompts in, JSON text out, whatever the engine."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
import structlog

from agents.engines.language.base import ChatMessage, LanguageModel, Prompt
from agents.planner.answer import read_plan
from agents.planner.news import Seen, is_quiet
from agents.planner.plan_cache import PlanCache, situation
from agents.planner.power import without_power_talk
from agents.planner.prompt import answer_prompt, plan_prompt
from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable
from protocols.messages.job import PlanDone
from protocols.messages.turn import TurnStart
from protocols.plan import MAX_ACTIONS, MIN_TTL_MS, WorldState
from protocols.vocabulary import EMOTIONS, GESTURES, SKILLS

MAX_PLAN_CHARS = 32_768
MAX_QUOTED_CHARS = 2_000

_SELFTEST = TurnStart(user_text="hello", emotions=EMOTIONS, gestures=GESTURES, skills=SKILLS)
"""Asks for an answer of the schema that most robots' answers have, so that it is compiled by then."""
_NOTHING_TO_DO = PlanDone(actions=(), ttl_ms=MIN_TTL_MS)

log = structlog.get_logger(__name__)


class ModelPlanner:
    """Asks ``model`` for answers and plans. A plan that is none is asked for once more; nothing is
    asked for where nothing happened, or where the same was asked a moment ago.

    ``warm_up`` lets the model begin an answer before the planner is ready.
    """

    def __init__(self, model: LanguageModel, *, warm_up: bool = True) -> None:
        self._language_model = model
        self._warm_up = warm_up
        self._seen = Seen()
        self._cache = PlanCache()
        self.name = model.name
        self.capacity = model.capacity
        self.counters: Counter[str] = Counter()

    @property
    def model(self) -> str:
        """See ``Planner``."""
        return self._language_model.model

    def facts(self) -> dict[str, str]:
        """What ``/health`` tells of the model."""
        facts: dict[str, str] = getattr(self._language_model, "facts", dict)()
        return facts

    async def start(self) -> None:
        """Load the model and let it begin one answer.

        Raises:
            BackendUnavailable: it cannot be loaded, or does not answer as it should.
        """
        await self._language_model.start()
        if self._warm_up:
            await self._selftest()
        log.info("model_ready", backend=self.name, model=self.model)

    async def close(self) -> None:
        """Free the model."""
        await self._language_model.close()

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        async with aclosing(self._language_model.write(answer_prompt(turn))) as pieces:
            async for piece in pieces:
                yield piece

    def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``Planner``."""
        return self._language_model.write(prompt)

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """See ``Planner``.

        Raises:
            AgentError: the model failed, or wrote no plan when it was asked again either
                (``llm_nonsense``).
        """
        plan = await self._plan(world, max_actions)
        self._seen.note(world)
        actions = plan.actions[:max_actions]
        return msgspec.json.encode({"actions": actions, "ttl_ms": plan.ttl_ms}).decode()

    async def _plan(self, world: WorldState, max_actions: int) -> PlanDone:
        if is_quiet(world, self._seen.of(world.robot_id)):
            self.counters["quiet"] += 1
            return _NOTHING_TO_DO
        clock, key = asyncio.get_running_loop().time, situation(world, max_actions)
        kept = self._cache.get(key, clock())
        if kept is not None:
            self.counters["cached"] += 1
            return kept
        self.counters["asked"] += 1
        plan = await self._thought(world, max_actions)
        self._cache.put(key, plan, clock())
        return plan

    async def _thought(self, world: WorldState, max_actions: int) -> PlanDone:
        """What the model plans, less what is not its to say."""
        prompt = plan_prompt(world, max_actions)
        text = await self._whole(prompt)
        try:
            plan = read_plan(text, MAX_ACTIONS)
        except AgentError as error:
            self.counters["repaired"] += 1
            log.info("plan_repaired", reason=str(error))
            text = await self._whole(_repairing(prompt, text, str(error)))
            plan = read_plan(text, MAX_ACTIONS)
        actions = without_power_talk(plan.actions)
        self.counters["power_talk"] += len(plan.actions) - len(actions)
        return PlanDone(actions=tuple(actions[:max_actions]), ttl_ms=plan.ttl_ms)

    async def _selftest(self) -> None:
        try:
            async with aclosing(self.answer(_SELFTEST)) as pieces:
                await anext(pieces, "")
        except BackendBusy:
            log.info("selftest_skipped", reason="the model is busy")
        except AgentError as error:
            raise BackendUnavailable(f"{self._language_model.where}: {error}") from error

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
