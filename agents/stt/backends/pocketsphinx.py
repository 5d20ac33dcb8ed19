"""The embedded recogniser: English, no download, streaming; decoders in child processes."""

import asyncio
import importlib.util
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from agents.runtime.errors import BackendUnavailable
from agents.runtime.worker import WorkerProcess
from agents.stt.backends.base import (
    Asked,
    Hypothesis,
    NotServed,
    Transcript,
    Understood,
    main_language,
)
from agents.stt.backends.cepstra import Voice
from agents.stt.recorded import ms_of
from protocols.messages.transcribe import TranscribeSegment, WordTime

CHILD = "agents.stt.backends.sphinx_child:SphinxChild"
RECORDINGS_CHILD = "agents.stt.backends.sphinx_recordings:SphinxRecordings"
SESSIONS_PER_CHILD = 8
"""Most sessions are silent most of the time; two that speak at once wait for each other."""

log = structlog.get_logger(__name__)


class PocketSphinx:
    """A few child processes; a session takes one for the length of an utterance. Recordings have
    one of their own, started for the first of them, and are heard one at a time."""

    name = "pocketsphinx"
    model = "en-us"

    def __init__(self, children: int = 1) -> None:
        self.capacity = children * SESSIONS_PER_CHILD
        self._children = [WorkerProcess(CHILD) for _ in range(children)]
        self._idle: asyncio.Queue[WorkerProcess] = asyncio.Queue()
        self._recordings = WorkerProcess(RECORDINGS_CHILD)
        self._recording = asyncio.Lock()

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
        for child in (*self._children, self._recordings):
            await child.close()

    def stream(self, language: str) -> "SphinxStream":
        if main_language(language) not in ("en", ""):
            log.warning("language_not_supported", backend=self.name, language=language, used="en")
        return SphinxStream(self._idle)

    async def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        """See ``Transcribing``. What it does does not depend on chance, so it has no temperature."""
        check(asked)
        texts = []
        async with self._recording, aclosing(self._recordings.stream("heard", pcm)) as told:
            async for stretch in told:
                if stretch is None:
                    continue
                start, end, text, words = stretch
                texts.append(text)
                yield TranscribeSegment(
                    start_ms=ms_of(start),
                    end_ms=ms_of(end),
                    text=text,
                    words=tuple(_word(*each) for each in words) if asked.words else (),
                )
        yield Understood(" ".join(texts), "en")


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


def check(asked: Asked) -> None:
    """Whether it can be done.

    Raises:
        NotServed: it cannot; the code says what.
    """
    if asked.language not in ("", "en"):
        raise NotServed(
            f"pocketsphinx knows English only, not {asked.language!r}", "language_not_served"
        )
    if asked.translate:
        raise NotServed("pocketsphinx does not translate", "translate_not_served")
    if asked.prompt:
        raise NotServed("pocketsphinx takes no prompt", "prompt_not_served")
    if asked.temperature:
        raise NotServed("pocketsphinx has no temperature", "temperature_not_served")


def _word(word: str, start_ms: int, end_ms: int) -> WordTime:
    return WordTime(word=word, start_ms=start_ms, end_ms=end_ms)
