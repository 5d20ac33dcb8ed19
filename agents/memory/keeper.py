"""What the memory agent runs on: its file, and the slot of its embedder, if there is one."""

import structlog

from agents.memory.backends.base import Embedder
from agents.memory.engines import Choice
from agents.memory.errors import DiskFull, StoreFailed, StoreLocked
from agents.memory.robots import RobotMemories
from agents.memory.store import Store
from agents.runtime.errors import BackendUnavailable
from agents.runtime.slot import EngineSlot

CAPACITY = 16
"""Jobs at once: most wait for the disk or for the embedder's turn."""

log = structlog.get_logger(__name__)


class Keeper:
    """The backend of the agent. It lives on through a full disk, a file that is held by another
    program and an embedder whose server is away, and tries each again when it is next needed."""

    def __init__(
        self,
        store: Store,
        memories: RobotMemories,
        choice: Choice,
        slot: EngineSlot[Embedder] | None,
    ) -> None:
        self._store = store
        self._memories = memories
        self._choice = choice
        self._slot = slot

    @property
    def name(self) -> str:
        """See ``Backend``; of the embedder, or ``words``."""
        return self._slot.about.backend if self._slot is not None else self._choice.name

    async def start(self) -> None:
        """Open the file and load the embedder.

        Raises:
            BackendUnavailable: the file can never be used, or an embedder that must be there is not.
        """
        try:
            await self._store.open()
            await self._memories.open()
        except (DiskFull, StoreLocked) as error:
            log.warning("memory_not_opened", code=error.code, detail=str(error))
        except StoreFailed as error:
            raise BackendUnavailable(str(error), error.code) from error
        if self._slot is not None:
            await self._load(self._slot)

    async def close(self) -> None:
        """Free the embedder and let go of the file."""
        if self._slot is not None:
            await self._slot.close()
        await self._store.close()

    async def _load(self, slot: EngineSlot[Embedder]) -> None:
        try:
            await slot.start()
        except BackendUnavailable as error:
            if self._choice.must_start:
                raise
            log.warning("embedder_not_started", backend=self.name, detail=str(error))
