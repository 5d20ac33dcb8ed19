"""What the planner needs of an engine: a planner of rules, or a language model."""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from typing import Any, NamedTuple, Protocol

from agents.runtime.service import Backend
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState


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


class Picture(NamedTuple):
    """An encoded picture (JPEG, PNG, WebP) that goes with a message."""

    media_type: str
    data: bytes


class ChatMessage(NamedTuple):
    """One message of a chat; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    text: str
    pictures: tuple[Picture, ...] = ()


class Schema(NamedTuple):
    """JSON schema that the model's text must obey, and its name for servers that want one."""

    name: str
    schema: dict[str, Any]


class Prompt(NamedTuple):
    """What a language model is asked for. None: as the engine is set."""

    messages: Sequence[ChatMessage]
    schema: Schema | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    is_plan: bool = False
    """It asks for a plan; nobody waits for its words as for an answer's."""


class LanguageModel(Backend, Protocol):
    """Goes on with a chat. ``agents/planner/model_planner.py`` makes a planner of it.

    ``start`` loads it, and is called again if it failed; the planner's self-test inference comes
    after that. All its failures are ``AgentError``s: ``BackendUnavailable``, ``BackendBusy`` and
    ``BackendTimeout`` say that another model may be asked instead, ``llm_error`` that this one
    failed.
    """

    capacity: int
    """How many texts it writes at once."""

    @property
    def model(self) -> str:
        """Name of what was loaded; known once it is started."""

    @property
    def where(self) -> str:
        """Where it runs, for people: a server's address, or a device."""

    def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Write the next message, piece by piece.

        An async generator: closing it stops the engine at its next token. An engine that can hold
        a model to a schema does so; where it cannot, the schema stands in the rules of the prompt
        already, and whoever reads the text repairs it.
        """


PLANNERS = {
    "reflex": "agents.planner.backends.reflex:ReflexPlanner",
    "scripted": "agents.planner.backends.scripted:ScriptedPlanner",
}
"""Where each planner without a model is; a module is imported only when its engine is chosen."""

MODELS = {
    "vllm": "agents.planner.backends.vllm:VllmModel",
    "openai": "agents.planner.backends.openai:OpenAiModel",
    "ollama": "agents.planner.backends.ollama:OllamaModel",
    "transformers": "agents.planner.backends.transformers:TransformersModel",
}
"""Where each kind of language model is; a class with a ``from_settings(PlannerSettings)``."""
