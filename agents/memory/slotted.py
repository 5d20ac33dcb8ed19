"""Embedders from a slot: for each order, and for that long; or none at all."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pkgutil import resolve_name

from agents.memory.backends.base import EMBEDDERS, Embedder
from agents.memory.settings import MemorySettings
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.slot import About, EngineSlot
from agents.runtime.slotted import Slotted


class SlottedEmbedders(Slotted[Embedder]):
    """Whoever began with one embedder ends with it, so that the vectors of one order are of one
    space. Where none is loaded, an order waits for one."""

    def __init__(self, slot: EngineSlot[Embedder]) -> None:
        super().__init__(slot)
        self._last_space = ""

    @property
    def space(self) -> str:
        """See ``Embedders``."""
        serving = self._slot.serving
        return serving.space if serving is not None else self._last_space

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Embedder]:
        """See ``Embedders``."""
        async with self._slot.lease() as embedder:
            self._last_space = embedder.space
            yield embedder


class NoEmbedders:
    """Nothing makes vectors here: documents are found by their words alone."""

    space = ""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self.counters: Counter[str] = Counter()

    def lease(self) -> AbstractAsyncContextManager[Embedder]:
        """See ``Embedders``.

        Raises:
            BackendUnavailable: always.
        """
        raise BackendUnavailable(self._reason)


def slot_for(name: str, settings: MemorySettings, reason: str) -> EngineSlot[Embedder]:
    """A slot with the embedder of engine ``name``, which was chosen for ``reason``.

    Raises:
        BackendUnavailable: its library is not installed, or it is not told where its server is.
    """

    def make(model: str) -> Embedder:
        return _made(name, settings.model_copy(update={"model": model}) if model else settings)

    def about(embedder: Embedder) -> About:
        return About(embedder.name, embedder.capacity, embedder.model, {"reason": reason})

    return EngineSlot(_made(name, settings), make, about, settings.slot_options)


def _made(name: str, settings: MemorySettings) -> Embedder:
    try:
        embedder: Embedder = resolve_name(EMBEDDERS[name]).from_settings(settings)
    except ImportError as error:
        raise AgentError(f"EMBED_BACKEND={name} cannot be imported: {error}") from error
    return embedder
