"""What the memory agent asks of whatever makes vectors of texts."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.runtime.service import Backend

Vector = NDArray[np.float32]
"""Of unit length, so that the cosine of two is their product."""
Vectors = NDArray[np.float32]
"""One a row."""

EMBEDDERS = {
    "minilm": "agents.memory.backends.minilm:MiniLmEmbedder",
    "openai": "agents.memory.backends.openai:OpenAiEmbedder",
    "scripted": "agents.memory.backends.scripted:ScriptedEmbedder",
}
"""Where each is; a class with a ``from_settings(MemorySettings)``."""


class Embedded(NamedTuple):
    """Vectors of some texts, in their order. ``truncated`` of them had more tokens than the model
    looks at; what is beyond those is not in their vectors."""

    vectors: Vectors
    tokens: int
    truncated: int = 0


class Embedder(Backend, Protocol):
    """Makes vectors of texts; near ones mean alike.

    All its failures are ``AgentError``s. ``BackendUnavailable``, ``BackendBusy`` and
    ``BackendTimeout`` say that it may work later.
    """

    capacity: int
    """How many orders it works on at once."""
    batch: int
    """How many texts it is given at once: enough to be fast, so few that a batch takes less than a
    second, and whoever comes next waits no longer than that."""

    @property
    def model(self) -> str:
        """What was loaded, for people; known once it is started."""

    @property
    def space(self) -> str:
        """Names the space of its vectors, once it is started. Vectors of two spaces are never
        compared: they are of different models, or of different weights of one name."""

    @property
    def counters(self) -> Counter[str]:
        """What it cut or did again."""

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """The vectors of at most ``batch`` texts, none of them empty."""


class Embedders(Protocol):
    """Where an embedder is to be had, if one is."""

    @property
    def space(self) -> str:
        """Of the embedder that serves, or served last; empty while that is not known."""

    @property
    def counters(self) -> Counter[str]:
        """Of all that ever served."""

    def lease(self) -> AbstractAsyncContextManager[Embedder]:
        """The embedder, for as long as the context is open.

        Raises:
            BackendUnavailable: there is none.
        """
