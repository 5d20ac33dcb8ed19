"""Engines that see what they are told to: for tests and benches."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence

from agents.engines.language.base import Ending, Prompt
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.vision.seen import Page, Scene


class ScriptedModel:
    """Plays texts in order, each in its pieces; without one it says how many pictures it was shown,
    and the last words with them. A model whose name begins with ``!`` cannot be started."""

    name = "scripted"
    capacity = 16
    where = "a script"

    def __init__(
        self,
        texts: Iterable[tuple[str, ...]] = (),
        *,
        model: str = "",
        error: AgentError | None = None,
    ) -> None:
        self.model = model
        self.prompts: list[Prompt] = []
        self._texts = iter(texts)
        self._error = error

    async def start(self) -> None:
        """Nothing to load.

        Raises:
            BackendUnavailable: the model is scripted to be one that cannot be.
        """
        if self.model.startswith("!"):
            raise BackendUnavailable(f"{self.model} is scripted to fail")

    async def close(self) -> None:
        """Nothing to free."""

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Play the next text."""
        self.prompts.append(prompt)
        shown = sum(len(message.pictures) for message in prompt.messages)
        said = prompt.messages[-1].text
        for piece in next(self._texts, (f"{shown} pictures. ", said)):
            yield piece
        if self._error is not None:
            raise self._error
        prompt.ended(Ending("stop", len(prompt.messages), 2))


class ScriptedReader:
    """Reads the same page in every picture, or fails."""

    name = "scripted"

    def __init__(self, page: Page | AgentError = Page(1, 1)) -> None:  # noqa: B008 - immutable
        self._page = page

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    async def read(self, picture: bytes) -> Page:
        """See ``Reader``."""
        if isinstance(self._page, AgentError):
            raise self._page
        return self._page


class ScriptedFinder:
    """Finds the same scene in every picture, or fails; ``asked`` holds what it was shown."""

    name = "scripted"

    def __init__(self, scene: Scene | AgentError = Scene(1, 1)) -> None:  # noqa: B008 - immutable
        self._scene = scene
        self.asked: list[tuple[bytes, float]] = []

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def find(
        self, picture: bytes, colours: Sequence[str], hfov_deg: float
    ) -> "asyncio.Future[Scene]":
        """See ``BallFinder``."""
        self.asked.append((picture, hfov_deg))
        found: asyncio.Future[Scene] = asyncio.get_running_loop().create_future()
        if isinstance(self._scene, AgentError):
            found.set_exception(self._scene)
        else:
            found.set_result(self._scene)
        return found
