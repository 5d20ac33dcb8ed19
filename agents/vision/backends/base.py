"""What vision needs of its engines: a model that writes, a reader of text, a finder of balls."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from agents.engines.language.base import Ending, Prompt
from agents.runtime.service import Backend
from agents.vision.seen import Page, Scene

__all__ = ["Ending", "Prompt"]


class Reader(Backend, Protocol):
    """Reads the text in pictures. All its failures are ``AgentError``s, ``bad_picture`` for what
    is none."""

    async def read(self, picture: bytes) -> Page:
        """All text in an encoded picture."""


class BallFinder(Backend, Protocol):
    """Finds balls by their colours. Failures as a reader's."""

    def find(
        self, picture: bytes, colours: Sequence[str], hfov_deg: float
    ) -> "asyncio.Future[Scene]":
        """The balls of ``colours`` (empty: all that are known) in an encoded picture that was taken
        with this horizontal field of view in degrees. Called on the loop; works off it.

        Raises:
            AgentError: at once, for a colour that is not known (``unknown_colour``) or no field of
                view (``bad_hfov``).
        """


class Describing(Protocol):
    """Whoever answers chats for the service: the engine, or what takes it from a slot."""

    @property
    def model(self) -> str:
        """What wrote the last answer, for people."""

    def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""


MODELS = {
    name: f"agents.vision.backends.language:{name}"
    for name in ("openai", "anthropic", "ollama", "transformers", "scripted")
}
"""Who makes each kind of model that sees from ``VisionSettings``; see ``agents/engines/language``."""
