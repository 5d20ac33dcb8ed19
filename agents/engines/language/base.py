"""What is asked of a language model, and the seam of everything that can be one."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple, Protocol

from agents.runtime.errors import AgentError
from agents.runtime.service import Backend
from protocols.messages.chat import Guide

BAD_GUIDE = "bad_guide"
"""Code of the error of a regular expression or a grammar that cannot be read."""


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


class Ending(NamedTuple):
    """How a text ended: ``stop``, or ``length`` at its limit; tokens as the engine counts them, 0
    where it does not say."""

    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0


def unheard(_: Ending) -> None:
    """Nobody asks how it ended."""


class Prompt(NamedTuple):
    """What a language model is asked for. None and empty: as the engine is set.

    ``stop`` are texts at which the writing ends, themselves not written. ``seed`` repeats a text on
    engines that draw by themselves; Anthropic's servers have no seed, and say so in the log.
    ``guide`` stands in place of a schema: engines that cannot hold to it refuse the prompt.
    """

    messages: Sequence[ChatMessage]
    schema: Schema | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    is_plan: bool = False
    """It asks for a plan; nobody waits for its words as for an answer's."""
    top_p: float | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    guide: Guide | None = None
    timeout_s: float | None = None
    """How long the text may take in all, its first piece included: who says so is patient."""
    ended: Callable[[Ending], None] = unheard
    """Called on the loop once the text is complete, and not if it fails or is left."""


def refuse_guide(prompt: Prompt, name: str) -> None:
    """For engines that cannot hold a model to a regular expression or a grammar.

    Raises:
        AgentError: ``guide_unsupported``; that is asked for.
    """
    if prompt.guide is not None:
        raise AgentError(f"{name} cannot hold a text to a {prompt.guide.kind}", "guide_unsupported")


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
