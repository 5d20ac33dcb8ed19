"""Whisper by CTranslate2. The growing utterance is decoded again and again; words that two
decodings agree on are stable."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import structlog

from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.latch import Latch
from agents.stt.backends import whisper_recordings
from agents.stt.backends.base import Asked, Hypothesis, Transcript, Understood, main_language
from agents.stt.backends.sureness import IMPROBABLE, NO_SPEECH, Segment, transcript_of
from agents.stt.downloads import Download
from agents.stt.stable import Agreement, agree, settle
from protocols.messages.transcribe import TranscribeSegment

STEP_SAMPLES = 11_200
"""New sound, 0.7 s, after which the utterance is decoded again."""
SESSIONS_PER_WORKER = 8
"""Most sessions are silent most of the time."""

Floats = npt.NDArray[np.float32]
T = TypeVar("T")

log = structlog.get_logger(__name__)


class FasterWhisper:
    """One model in memory, ``workers`` decodings at a time. A model on disk is never fetched.

    Recordings have a worker of their own, which holds between two windows of 30 s while users
    speak: so they take its time from nobody, and no more of the processor than a window does.
    """

    name = "faster_whisper"

    def __init__(
        self,
        model: Path | Download,
        *,
        name: str = "",
        device: str = "cpu",
        compute_type: str = "int8",
        threads: int = 0,
        workers: int = 1,
        beam_size: int = 5,
    ) -> None:
        self.model = name or model.name
        self.capacity = workers * SESSIONS_PER_WORKER
        self.beams_final = beam_size
        self._place = model
        self._load: Callable[[Path], Any] = lambda folder: _load(
            folder, device, compute_type, threads, workers + 1
        )
        self._languages: frozenset[str] = frozenset()
        self._whisper: Any = None
        # CTranslate2 releases the interpreter lock, so threads do.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="whisper")
        self._recordings = ThreadPoolExecutor(1, thread_name_prefix="whisper-recording")
        self._live = 0
        self._latch = Latch()

    async def start(self) -> None:
        """See ``Backend``; a self-test transcribes a second of silence."""
        place = self._place
        folder = place if isinstance(place, Path) else await place.fetched()
        self._whisper = await self.off_the_loop(lambda: self._load(folder))
        self._languages = frozenset(self._whisper.supported_languages)
        await self.off_the_loop(lambda: self.transcribe(np.zeros(16_000, np.float32), "", 1))

    async def close(self) -> None:
        self._whisper = None
        self._threads.shutdown(wait=False)
        self._recordings.shutdown(wait=False, cancel_futures=True)

    def stream(self, language: str) -> "WhisperStream":
        return WhisperStream(self, self._known(main_language(language)))

    async def off_the_loop(self, work: Callable[[], T]) -> T:
        """``work()`` in a thread of the engine's own; recordings hold meanwhile."""
        self._live += 1
        self._latch.set(True)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._live -= 1
            self._latch.set(self._live > 0)

    async def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        """See ``Transcribing``. Stretches in which nobody speaks are left out."""
        whisper_recordings.check(asked, self._languages)
        parts = whisper_recordings.decoded(self._whisper, pcm, asked, self.beams_final)
        loop = asyncio.get_running_loop()
        while True:
            await self._latch.wait()
            # A step that is left is ended by its thread; nobody asks for the one after it.
            part = await loop.run_in_executor(self._recordings, next, parts, None)
            if part is None:
                return
            yield part

    def transcribe(self, sound: Floats, language: str, beams: int) -> Transcript:
        """Blocking. Text of ``sound`` (16 kHz, ±1), its language and how sure the model is of it.
        ``language`` empty: the model finds out; one that knows a single language says that.

        Raises:
            AgentError: the engine cannot decode it.
        """
        try:
            parts, info = self._whisper.transcribe(
                sound, language=language or None, beam_size=beams, temperature=0.0,
                condition_on_previous_text=False, no_speech_threshold=NO_SPEECH,
                log_prob_threshold=IMPROBABLE, vad_filter=False, without_timestamps=True,
            )  # fmt: skip
            segments = [
                Segment(part.text, len(part.tokens), part.avg_logprob, part.no_speech_prob)
                for part in parts
            ]
        except (RuntimeError, ValueError) as error:
            raise AgentError(f"whisper: {error}", "stt_failed") from error
        return transcript_of(segments, info.language)

    def _known(self, language: str) -> str:
        """``language`` if the model knows it, else what to do instead."""
        if not language or language in self._languages:
            return language
        used = "en" if self._languages == {"en"} else ""
        log.warning(
            "language_not_supported", backend=self.name, language=language, used=used or "auto"
        )
        return used


class WhisperStream:
    """See ``Stream``."""

    def __init__(self, engine: FasterWhisper, language: str) -> None:
        self._engine = engine
        self._language = language
        self._pcm = bytearray()
        self._decoded = 0
        self._agreement = Agreement()

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        self._pcm += pcm
        samples = len(self._pcm) // 2
        if samples - self._decoded < STEP_SAMPLES:
            return None
        self._decoded = samples
        decoded = await self._transcribe(beams=1)
        self._agreement = agree(self._agreement, decoded.text)
        return Hypothesis(self._agreement.text, self._agreement.stable_chars)

    async def finish(self) -> Transcript:
        final = await self._transcribe(beams=self._engine.beams_final)
        text = settle(self._agreement, final.text)
        await self.reset()
        return final._replace(text=text)

    async def reset(self) -> None:
        self._pcm.clear()
        self._decoded = 0
        self._agreement = Agreement()

    async def close(self) -> None:
        """Nothing to give back."""

    async def _transcribe(self, beams: int) -> Transcript:
        sound = np.frombuffer(bytes(self._pcm), "<i2").astype(np.float32) / np.float32(32_768)
        engine, language = self._engine, self._language
        return await engine.off_the_loop(lambda: engine.transcribe(sound, language, beams))


def _load(model: Path, device: str, compute_type: str, threads: int, workers: int) -> Any:
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise BackendUnavailable(f"faster-whisper cannot be imported: {error}") from error
    try:
        return WhisperModel(
            str(model), device=device, compute_type=compute_type, cpu_threads=threads,
            num_workers=workers, local_files_only=True,
        )  # fmt: skip
    except (RuntimeError, ValueError, OSError) as error:
        raise BackendUnavailable(f"whisper model {model} cannot be loaded: {error}") from error
