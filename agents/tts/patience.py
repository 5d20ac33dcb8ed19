"""How long a voice waits for its engine: for the first audio, for more of it, and in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from agents.runtime.errors import BackendTimeout


class Limits(NamedTuple):
    """Seconds. Only what is waited counts: a listener who takes long to hear it costs nothing."""

    first_s: float
    idle_s: float
    total_s: float


class Patience:
    """The waiting time of one phrase or piece of it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._next_s = limits.first_s
        self._left_s = limits.total_s

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Wait for the engine's next piece inside.

        Raises:
            BackendTimeout: it took too long.
        """
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        try:
            async with asyncio.timeout(max(0.0, min(self._next_s, self._left_s))):
                yield
        except TimeoutError as error:
            raise BackendTimeout("the voice's engine did not answer in time") from error
        self._left_s -= loop.time() - begun_s
        self._next_s = self._limits.idle_s
