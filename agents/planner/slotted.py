"""A planner that takes its engine from a slot: for each answer and plan, and for that long."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from agents.engines.language.base import Prompt
from agents.planner.backends.auto import FirstThatStarts
from agents.planner.backends.base import Planner
from agents.planner.engines import chosen, scripted, thinking, thinking_candidates
from agents.planner.settings import REFLEX_ROLE, PlannerSettings
from agents.runtime.slot import About, EngineSlot
from agents.runtime.slotted import Slotted
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState


class SlottedPlanner(Slotted[Planner]):
    """Whoever began an answer with one model ends it with that model, whatever happens to the slot.
    Where no engine is loaded, an answer waits for one."""

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """See ``Planner``.

        Raises:
            AgentError: also where no engine can be loaded.
        """
        async with (
            self._slot.lease() as planner,
            aclosing(planner.answer(turn)) as pieces,
        ):
            async for piece in pieces:
                yield piece

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """See ``Planner``; raises as ``answer``."""
        async with self._slot.lease() as planner:
            return await planner.plan(world, max_actions)

    async def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``Planner``; raises as ``answer``."""
        async with self._slot.lease() as planner, aclosing(planner.chat(prompt)) as pieces:
            async for piece in pieces:
                yield piece


MODELS: Mapping[str, str] = {
    "openai": "model",
    "ollama": "ollama_model",
    "transformers": "hf_model",
    "vllm": "vllm_model_name",
}
"""Field of the settings that holds the model of each engine."""

_NO_ROOM = frozenset({"vllm", "transformers"})
"""Engines whose models take the memory of a device: two at once do not fit."""


def slot_for(settings: PlannerSettings) -> EngineSlot[Planner] | None:
    """A slot with the planner that ``settings`` name; None if it is one of rules.

    Raises:
        BackendUnavailable: as ``chosen``.
    """
    if settings.role == REFLEX_ROLE or settings.backend == "reflex":
        return None
    reason = f"LLM_BACKEND={settings.backend}"

    def make(model: str) -> Planner:
        return named(settings, model) if model else chosen(settings).planner

    def about(planner: Planner) -> About:
        why = planner.reason if isinstance(planner, FirstThatStarts) else reason
        facts: dict[str, str] = getattr(planner, "facts", dict)()
        info = {"reason": why, **facts}
        return About(planner.name, max(1, planner.capacity), planner.model, info)

    warm_up = settings.model_warmup and settings.warmup_llm
    return EngineSlot(
        chosen(settings).planner,
        make,
        about,
        settings.slot_options._replace(warm_up=warm_up),
        beside=lambda planner: planner.name not in _NO_ROOM,
    )


def named(settings: PlannerSettings, model: str) -> Planner:
    """A planner that thinks with ``model``: with the chosen engine, or with the first that has it
    where that is ``auto``. One whose server is away fails instead of waiting for it.

    Raises:
        BackendUnavailable: its library is not installed, or it has no server.
    """
    servers = ",".join(part.partition("#")[0] for part in settings.base_url.split(","))
    with_it = settings.model_copy(
        update={**dict.fromkeys(MODELS.values(), model), "base_url": servers}
    )
    match settings.backend:
        case "scripted":
            return scripted(settings, model)
        case "auto":
            return FirstThatStarts(thinking_candidates(with_it))
        case name:
            return thinking(name, with_it)
