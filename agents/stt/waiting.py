"""A recogniser whose server may come up later."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import structlog

from agents.runtime.errors import BackendUnavailable
from agents.runtime.progress import progress
from agents.stt.backends.base import (
    Asked,
    EngineRefuses,
    Recogniser,
    Stream,
    Understood,
    transcribing,
)
from protocols.messages.transcribe import TranscribeSegment

RETRY_S = 2.0

log = structlog.get_logger(__name__)


class OnceItStarts:
    """A recogniser that is started again until it can be. Until then the agent is loading, and
    says what it waits for."""

    def __init__(
        self, recogniser: Recogniser, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._recogniser = recogniser
        self._sleep = sleep
        self.name, self.capacity = recogniser.name, recogniser.capacity

    @property
    def model(self) -> str:
        """See ``Recogniser``."""
        return self._recogniser.model

    async def start(self) -> None:
        """Return once the server answers.

        Raises:
            EngineRefuses: it answers, and not as it would have to.
        """
        told = ""
        while True:
            try:
                await self._recogniser.start()
                return
            except EngineRefuses:
                raise
            except BackendUnavailable as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("waiting_for_server", reason=told)
                progress(f"waiting for {told}")
            await self._sleep(RETRY_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._recogniser.close()

    def stream(self, language: str) -> Stream:
        """See ``Recogniser``."""
        return self._recogniser.stream(language)

    def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        """See ``Transcribing``."""
        return transcribing(self._recogniser).transcribed(pcm, asked)
