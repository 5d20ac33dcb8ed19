"""A language model that writes, fails and waits as it is told to, in whatever time there is."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import NamedTuple

from agents.engines.language.base import Prompt
from agents.runtime.errors import AgentError


class Writing(NamedTuple):
    """One text: seconds before it begins, its pieces, and an error that ends it."""

    pieces: tuple[str, ...] = ("words",)
    pause_s: float = 0.0
    error: AgentError | None = None


class FakeLanguageModel:
    """Each prompt takes the next writing, the last one for ever; ``start_errors`` come first."""

    name = "fake"
    capacity = 2
    model = "small"

    def __init__(
        self, *writings: Writing, where: str = "fake", start_errors: tuple[AgentError, ...] = ()
    ) -> None:
        self._writings = deque(writings or (Writing(),))
        self._start_errors = deque(start_errors)
        self.where = where
        self.starts = 0
        self.prompts: list[Prompt] = []
        self.open = 0
        self.closed = False

    async def start(self) -> None:
        self.starts += 1
        if self._start_errors:
            raise self._start_errors.popleft()

    async def close(self) -> None:
        self.closed = True

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        self.prompts.append(prompt)
        writing = self._writings.popleft() if len(self._writings) > 1 else self._writings[0]
        self.open += 1
        try:
            await asyncio.sleep(writing.pause_s)
            for piece in writing.pieces:
                yield piece
            if writing.error is not None:
                raise writing.error
        finally:
            self.open -= 1
