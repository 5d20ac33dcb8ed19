"""The embedded recogniser: English, no download, streaming; decoders in child processes."""

import asyncio
import importlib.util

import structlog

from agents.runtime.errors import BackendUnavailable
from agents.runtime.worker import WorkerProcess
from agents.stt.backends.base import Hypothesis, Transcript, main_language
from agents.stt.backends.cepstra import Voice

CHILD = "agents.stt.backends.sphinx_child:SphinxChild"
SESSIONS_PER_CHILD = 8
"""Most sessions are silent most of the time; two that speak at once wait for each other."""

log = structlog.get_logger(__name__)


class PocketSphinx:
    """A few child processes; a session takes one for the length of an utterance."""

    name = "pocketsphinx"
    model = "en-us"

    def __init__(self, children: int = 1) -> None:
        self.capacity = children * SESSIONS_PER_CHILD
        self._children = [WorkerProcess(CHILD) for _ in range(children)]
        self._idle: asyncio.Queue[WorkerProcess] = asyncio.Queue()

    async def start(self) -> None:
        """See ``Backend``; each child decodes a moment of silence."""
        if importlib.util.find_spec("pocketsphinx") is None:
            raise BackendUnavailable("pocketsphinx is not installed")
        for child in self._children:
            await child.start()
            await child.call("begin", Voice().packed())
            await child.call("feed", bytes(16_000))
            await child.call("finish")
            self._idle.put_nowait(child)

    async def close(self) -> None:
        for child in self._children:
            await child.close()

    def stream(self, language: str) -> "SphinxStream":
        if main_language(language) not in ("en", ""):
            log.warning("language_not_supported", backend=self.name, language=language, used="en")
        return SphinxStream(self._idle)


class SphinxStream:
    """See ``Stream``. Remembers its speaker's voice from one utterance to the next."""

    def __init__(self, idle: asyncio.Queue[WorkerProcess]) -> None:
        self._idle = idle
        self._child: WorkerProcess | None = None
        self._voice = Voice().packed()

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        text: str = await (await self._taken()).call("feed", pcm)
        return Hypothesis(text) if text else None

    async def finish(self) -> Transcript:
        text, self._voice = await (await self._taken()).call("finish")
        self._give_back()
        # Its posteriors tell right from wrong no better than chance: the confidence is unknown.
        return Transcript(text, "en")

    async def reset(self) -> None:
        self._give_back()

    async def close(self) -> None:
        self._give_back()

    async def _taken(self) -> WorkerProcess:
        if self._child is None:
            self._child = await self._idle.get()
            await self._child.call("begin", self._voice)
        return self._child

    def _give_back(self) -> None:
        """Let others have the child; whoever takes it next begins by making it forget."""
        if self._child is not None:
            self._idle.put_nowait(self._child)
            self._child = None
