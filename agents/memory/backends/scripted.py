"""An embedder without a model: texts that share words, or beginnings of words, are near."""

import re
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from agents.memory.backends.base import Embedded
from agents.memory.settings import MemorySettings
from agents.runtime.errors import BackendUnavailable

_WORD = re.compile(r"\w+")
_BEGINNING = 4
"""Letters of a word that count on their own, so that its forms are near each other."""


class ScriptedEmbedder:
    """Hashes words into ``dimensions`` places (the hashing trick). A model whose name begins with
    ``!`` cannot be started; each model has a space of its own."""

    name = "scripted"
    capacity = 64
    batch = 64

    def __init__(self, model: str = "", dimensions: int = 64) -> None:
        self.model = model
        self.space = f"scripted/{model}/{dimensions}"
        self.counters: Counter[str] = Counter()
        self._dimensions = dimensions

    @classmethod
    def from_settings(cls, settings: MemorySettings) -> "ScriptedEmbedder":
        """One that is called as the settings' model."""
        return cls(settings.model)

    async def start(self) -> None:
        """Nothing to load.

        Raises:
            BackendUnavailable: the model is scripted to be one that cannot be.
        """
        if self.model.startswith("!"):
            raise BackendUnavailable(f"{self.model} is scripted to fail")

    async def close(self) -> None:
        """Nothing to free."""

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """See ``Embedder``."""
        vectors = np.zeros((len(texts), self._dimensions), np.float32)
        tokens = 0
        for row, text in zip(vectors, texts, strict=True):
            words = _WORD.findall(text.casefold())
            tokens += len(words)
            for word in words or [text]:
                for part in (word, word[:_BEGINNING]):
                    number = crc32(f"{self.model}/{part}".encode())
                    row[number % self._dimensions] += 1.0 if number & 0x8000_0000 else -1.0
            if not row.any():
                row[0] = 1.0
            row /= np.linalg.norm(row)
        return Embedded(vectors, tokens)
