"""What the planner needs of an engine."""

from collections.abc import AsyncGenerator
from typing import Protocol

from agents.runtime.service import Backend
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState


class Planner(Backend, Protocol):
    """Writes answers and plans as JSON text; ``agents/planner/answer.py`` reads them, so an engine
    need not be trusted.

    All its failures are ``AgentError``s, with the code that the client is to see.
    """

    capacity: int
    """How many answers and plans it writes at once."""

    def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """Write the answer to a turn, piece by piece, ``text`` last.

        An async generator: closing it stops the engine.
        """

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """Write a plan for a robot in this state, as a whole: ``{"actions": […], "ttl_ms": …}``."""


PLANNERS = {
    "openai": "agents.planner.backends.openai:OpenAiPlanner",
    "reflex": "agents.planner.backends.reflex:ReflexPlanner",
    "scripted": "agents.planner.backends.scripted:ScriptedPlanner",
}
"""Where each engine is; a module is imported only when its engine is chosen."""
