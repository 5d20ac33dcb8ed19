"""What the planner needs of an engine: a planner of rules, or a language model."""

from collections import Counter
from collections.abc import AsyncGenerator
from typing import Protocol

from agents.engines.language.base import Ending, Prompt
from agents.runtime.service import Backend
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

__all__ = ["MODELS", "PLANNERS", "Ending", "Planner"]


class Planner(Backend, Protocol):
    """Writes answers and plans as JSON text; ``agents/planner/answer.py`` reads them, so an engine
    need not be trusted.

    All its failures are ``AgentError``s, with the code that the client is to see.
    """

    @property
    def capacity(self) -> int:
        """How many answers and plans it writes at once."""

    @property
    def model(self) -> str:
        """What was loaded, for people; empty where there is no model."""

    @property
    def counters(self) -> Counter[str]:
        """What it did not ask its engine, repaired, or dropped of what its engine wrote."""

    def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """Write the answer to a turn, piece by piece, ``text`` last.

        An async generator: closing it stops the engine.
        """

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """Write a plan for a robot in this state, as a whole: ``{"actions": […], "ttl_ms": …}``."""

    def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Go on with a chat that is no robot's, piece by piece.

        An async generator: closing it stops the engine. Raises ``BackendUnavailable`` where there
        is no language model.
        """


PLANNERS = {
    "reflex": "agents.planner.backends.reflex:ReflexPlanner",
    "scripted": "agents.planner.backends.scripted:ScriptedPlanner",
}
"""Where each planner without a model is; a module is imported only when its engine is chosen."""

MODELS = {
    name: f"agents.planner.backends.language:{name}"
    for name in ("vllm", "openai", "ollama", "transformers")
}
"""Who makes each kind of language model from ``PlannerSettings``; see ``agents/engines/language``."""
