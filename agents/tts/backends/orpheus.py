"""Orpheus as a voice: a language model whose words are sound, drawn by vLLM, decoded by SNAC."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from itertools import count
from typing import NamedTuple, Protocol, TypeVar

import structlog

from agents.engines.vllm import ENGINE_DIED, VOICE, Piece, Sampling, VllmEngine, VllmOptions
from agents.engines.weights import find_weights
from agents.runtime.death import engine_died
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.backends.snac import SnacDecoder
from agents.tts.estimate import EstimatedSpeech, Pace
from agents.tts.orpheus_codes import (
    AUDIO_TOKENS,
    END_OF_SPEECH,
    RATE_HZ,
    Frames,
    Stretch,
    Window,
    most_tokens,
    prompt_of,
)
from agents.tts.patience import Limits, Patience
from agents.tts.prosody import NEUTRAL, Prosody
from agents.tts.settings import TtsSettings
from agents.tts.speakable import in_clauses
from agents.tts.tempo import at_tempo
from agents.tts.yielding import AHEAD_S, yield_while_ahead

PIECE_CHARS = 160
"""Some eleven seconds; the model loses its way in longer ones."""
ATTEMPTS = 2
TEMPERATURE, TOP_P, REPETITION_PENALTY = 0.6, 0.8, 1.3
"""As its makers' package has them; without a penalty of 1.1 at least it is not stable."""
SUSPICIOUS_S = 2.0
"""A request that got no token in this time was not answered."""
UNANSWERED = 2
"""After so many of them in a row, the engine is given up and its process started again."""

Part = Sound | Marks
T = TypeVar("T")

log = structlog.get_logger(__name__)


class TokenSource(Protocol):
    """What Orpheus needs of its language model; see ``VllmEngine``."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def generate(
        self, request_id: str, prompt: str | Sequence[int], sampling: Sampling, priority: int
    ) -> AsyncGenerator[Piece, None]: ...


class Codec(Protocol):
    """Frames to audio, blocking; see ``SnacDecoder``."""

    device: str

    def load(self) -> None: ...

    def decode(self, stretch: Stretch) -> bytes: ...

    def close(self) -> None: ...


class Utterances(NamedTuple):
    """What a piece of text becomes. ``voice`` is one of the model's names; a piece lasts no longer
    than ``cap_s``."""

    voice: str = "tara"
    limits: Limits = Limits(first_s=8.0, idle_s=8.0, total_s=60.0)
    cap_s: float = 15.0


class OrpheusVoice:
    """Speaks with one voice, whatever is asked for, so that a robot sounds like itself. Closing a
    phrase ends its request in the engine. ``counters`` holds what went wrong and was mended."""

    name = "orpheus"
    rate_hz = RATE_HZ

    def __init__(
        self,
        engine: TokenSource,
        codec: Codec,
        model: str,
        utterances: Utterances | None = None,
        capacity: int = 8,
    ) -> None:
        self._engine = engine
        self._codec = codec
        self._model = model
        self._utterances = utterances or Utterances()
        self.capacity = capacity
        self.counters: Counter[str] = Counter()
        self._pace = Pace()
        self._numbers = count(1)
        self._unanswered = 0
        self._tokenize: Callable[[str], list[int]] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snac")

    @classmethod
    def from_settings(cls, settings: TtsSettings) -> "OrpheusVoice":
        """The models and limits that ``settings`` name."""
        idle_s, total_s = settings.orpheus_idle_timeout_s, settings.orpheus_total_timeout_s
        engine = VllmEngine(
            VllmOptions(
                settings.model_name,
                gpu_memory_utilization=settings.orpheus_gpu_memory_utilization,
                max_model_len=settings.orpheus_max_model_len,
                max_num_seqs=settings.orpheus_max_num_seqs,
                max_num_batched_tokens=settings.orpheus_max_num_batched_tokens,
            )
        )
        utterances = Utterances(
            settings.orpheus_voice, Limits(idle_s, idle_s, total_s), settings.max_utterance_s
        )
        codec = SnacDecoder(settings.snac_model)
        return cls(engine, codec, settings.model_name, utterances, settings.orpheus_max_num_seqs)

    @property
    def info(self) -> dict[str, str]:
        """What ``/health`` tells of it."""
        return {"voice": self._utterances.voice, "device": self._codec.device}

    async def start(self) -> None:
        """Load the codec and the language model, and speak a word.

        Raises:
            BackendUnavailable: a model or library is missing, or it is silent.
        """
        try:
            self._tokenize = await self._off_the_loop(lambda: _tokenizer(self._model))
            await self._off_the_loop(self._codec.load)
            await self._engine.start()
            await self._test()
        except BackendUnavailable:
            # What is loaded holds memory that whoever speaks instead may need.
            await self.close()
            raise

    async def _test(self) -> None:
        try:
            spoken = [part async for part in self.speak("ready", NEUTRAL, "en", "")]
        except AgentError as error:
            raise BackendUnavailable(f"{self._model}: {error}", error.code) from error
        if not any(isinstance(part, Sound) for part in spoken):
            raise BackendUnavailable(f"{self._model} makes no sound")

    async def close(self) -> None:
        """End the engine and free the codec."""
        self._tokenize = None
        await self._engine.close()
        self._codec.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Part, None]:
        """See ``Voice``. A piece that fails before it is heard is tried once more. The model has no
        tempo: whatever is asked for is stretched.

        Raises:
            BackendUnavailable: it is not loaded, or its engine died.
            BackendTimeout: the engine was too slow for its limits.
            AgentError: ``llm_error``, ``tts_failed``; it failed, or made no audio.
        """
        return at_tempo(self._spoken(text, prosody.tag, lead), prosody.speed, RATE_HZ)

    async def _spoken(self, text: str, sound: str, lead: Lead) -> AsyncGenerator[Part, None]:
        begun_ms, tag = 0, f"<{sound}> " if sound else ""
        for piece in in_clauses(text, PIECE_CHARS, PIECE_CHARS):
            samples = 0
            async with aclosing(self._speak_piece(piece, tag, lead)) as parts:
                async for part in parts:
                    if isinstance(part, Sound):
                        samples += len(part.pcm) // 2
                        yield part
                    else:
                        yield part.later(begun_ms)
            begun_ms += samples * 1000 // RATE_HZ
            tag = ""

    async def _speak_piece(self, text: str, tag: str, lead: Lead) -> AsyncGenerator[Part, None]:
        for attempt in range(1, ATTEMPTS + 1):
            heard = False
            try:
                async with aclosing(self._attempt(text, tag, lead)) as parts:
                    async for part in parts:
                        heard = True
                        yield part
                return
            except AgentError as error:
                if heard or attempt == ATTEMPTS or error.code == ENGINE_DIED:
                    raise
                self.counters["tried_again"] += 1
                log.warning("orpheus_tries_again", code=error.code, reason=str(error))

    async def _attempt(self, text: str, tag: str, lead: Lead) -> AsyncGenerator[Part, None]:
        """Speak a piece; in several requests if it gets ahead of what is heard."""
        if self._tokenize is None:
            raise BackendUnavailable("orpheus is not loaded")
        prompt = prompt_of(self._tokenize(f"{self._utterances.voice}: {tag}{text}"))
        left = most_tokens(text, self._utterances.cap_s)
        patience = Patience(self._utterances.limits)
        speech = EstimatedSpeech(text, RATE_HZ, self._pace)
        frames, window, over = Frames(), Window(), False
        while not over and left > 0:
            await yield_while_ahead(lead)
            # The request says where the last one ended; what it has in common is in the cache.
            async with aclosing(self._drawn(prompt, left, patience)) as pieces:
                async for piece in pieces:
                    prompt += piece.tokens
                    left -= len(piece.tokens)
                    over = bool(piece.finish_reason) or END_OF_SPEECH in piece.tokens
                    for part in await self._decoded(window.add(frames.add(piece.tokens)), speech):
                        yield part
                    if over or lead() > AHEAD_S:
                        break
                else:
                    over = True
        for part in await self._decoded(window.finish(), speech):
            yield part
        self._count(frames, left)
        if not speech.samples:
            raise AgentError("orpheus made no audio of it", "tts_failed")
        for part in speech.finish():
            yield part

    async def _drawn(
        self, prompt: list[int], most: int, patience: Patience
    ) -> AsyncGenerator[Piece, None]:
        """What the engine adds to ``prompt``, each piece within its time."""
        loop = asyncio.get_running_loop()
        sampling = Sampling(
            max_tokens=most,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            repetition_penalty=REPETITION_PENALTY,
            allowed_tokens=AUDIO_TOKENS,
            stop_tokens=(END_OF_SPEECH,),
        )
        request = f"speech-{next(self._numbers)}"
        begun_s, answered = loop.time(), False
        try:
            async with aclosing(
                self._engine.generate(request, list(prompt), sampling, VOICE)
            ) as pieces:
                while True:
                    async with patience.waiting():
                        piece = await anext(pieces, None)
                    if piece is None:
                        return
                    answered = True
                    yield piece
        finally:
            if answered:
                self._unanswered = 0
            elif loop.time() - begun_s >= SUSPICIOUS_S:
                self._suspect()

    def _suspect(self) -> None:
        self._unanswered += 1
        self.counters["unanswered"] += 1
        if self._unanswered == UNANSWERED:
            log.error("orpheus_hangs", unanswered=self._unanswered)
            engine_died("Orpheus' engine does not answer")

    async def _decoded(self, stretch: Stretch | None, speech: EstimatedSpeech) -> list[Part]:
        if stretch is None:
            return []
        try:
            pcm = await self._off_the_loop(lambda: self._codec.decode(stretch))
        except RuntimeError as error:
            raise AgentError(f"the codec failed: {error}", "tts_failed") from error
        return speech.add(pcm)

    def _count(self, frames: Frames, left: int) -> None:
        self.counters["invalid_codes"] += frames.invalid
        if left <= 0:
            self.counters["too_long"] += 1
            log.warning("orpheus_cut_off", cap_s=self._utterances.cap_s)

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _tokenizer(model: str) -> Callable[[str], list[int]]:
    """Blocking: how ``model`` cuts text into tokens."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise BackendUnavailable(
            "tokenizers is not installed; install robot-hub[orpheus]"
        ) from error
    file = find_weights(model) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        # The library raises bare exceptions, also for a file that is not there.
        raise BackendUnavailable(f"{file} cannot be read: {error}") from error

    def tokenize(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    return tokenize
