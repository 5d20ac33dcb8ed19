"""Embedders that a test hands to whatever takes one from a slot."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from agents.memory.backends.base import Embedded, Embedder
from agents.memory.backends.scripted import ScriptedEmbedder
from agents.runtime.errors import AgentError


class Leased:
    """Always the same embedder, until a test puts another in its place."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    @property
    def space(self) -> str:
        return self.embedder.space

    @property
    def counters(self) -> Counter[str]:
        return self.embedder.counters

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Embedder]:
        yield self.embedder


class Failing(ScriptedEmbedder):
    """Starts, and then fails every batch with ``error``."""

    def __init__(self, error: AgentError) -> None:
        super().__init__()
        self._error = error

    async def embed(self, texts: Sequence[str]) -> Embedded:
        raise self._error


class Noting(ScriptedEmbedder):
    """Keeps the texts that it was given, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Embedded:
        self.texts += texts
        return await super().embed(texts)
