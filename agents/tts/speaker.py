"""Speaks phrases one after the other on one timeline, as far as the credit reaches."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import NamedTuple

from agents.runtime.errors import AgentError
from agents.runtime.service import Emit
from agents.tts.backends.base import Marks, Voice
from agents.tts.credit import Credit, portion
from agents.tts.loudness import Loudness, quieter
from agents.tts.prosody import Prosody, prosody_of
from agents.tts.resample import Resampler
from agents.tts.speakable import speakable
from agents.tts.tempo import MAX_SPEED, MIN_SPEED
from protocols.messages.audio import SpeechChunk
from protocols.messages.job import SpeakRequest
from protocols.messages.speech import SpeechMarks, SpeechRequest

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
BYTES_PER_SAMPLE = 2


class Spoken(NamedTuple):
    """Samples of a phrase on the response's timeline; ``last_sample`` is exclusive."""

    first_sample: int
    last_sample: int


class _Stream(NamedTuple):
    """Audio of one rate on its way to the response's."""

    from_hz: int
    resampler: Resampler


class Speaker:
    """The voice of one response or job at ``rate_hz``. All its samples are counted from 0.

    ``clock`` gives seconds; only the time since the first sample was sent is of interest.
    """

    def __init__(
        self,
        voice: Voice,
        emit: Emit,
        credit: Credit,
        rate_hz: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise AgentError(f"rate_hz must be {MIN_RATE_HZ} to {MAX_RATE_HZ}", code="bad_rate")
        self._voice = voice
        self._emit = emit
        self._credit = credit
        self._rate_hz = rate_hz
        self._clock = clock
        self._loudness = Loudness()
        self._sent = 0
        self._begun_s: float | None = None
        self._tagged = False

    async def speak(self, phrase: int, request: SpeechRequest | SpeakRequest) -> Spoken:
        """Send a phrase: its marks, each before the audio it describes, and all its audio.

        Raises:
            AgentError: the voice failed, the credit ended for good, the request's rate is not
                the response's (``bad_rate``), or its speed is none (``bad_speed``).
        """
        if request.rate_hz != self._rate_hz:
            raise AgentError("a response has one rate", code="bad_rate")
        first = self._sent
        text = speakable(request.text)
        if text:
            await self._speak_text(phrase, text, request)
        return Spoken(first, self._sent)

    async def _speak_text(
        self, phrase: int, text: str, request: SpeechRequest | SpeakRequest
    ) -> None:
        offset_ms = self._sent * 1000 // self._rate_hz
        volume = request.volume if isinstance(request, SpeechRequest) else 1.0
        stream: _Stream | None = None
        first, ready = self._sent, b""
        speaking = self._voice.speak(
            text, self._prosody(request), request.language, request.voice, self._lead_s
        )
        async with aclosing(speaking) as parts:
            async for part in parts:
                if isinstance(part, Marks):
                    marks = part.later(offset_ms)
                    self._emit(SpeechMarks(phrase=phrase, words=marks.words, visemes=marks.visemes))
                    continue
                from_hz = part.rate_hz or self._voice.rate_hz
                if stream is None or stream.from_hz != from_hz:
                    ready += _rest(stream, volume)
                    stream = _Stream(from_hz, Resampler(from_hz, self._rate_hz))
                ready += quieter(stream.resampler.feed(part.pcm), volume)
                ready = await self._send(ready, phrase, first, ended=False)
        ready += _rest(stream, volume)
        await self._send(ready, phrase, first, ended=True)

    def _prosody(self, request: SpeechRequest | SpeakRequest) -> Prosody:
        """How the phrase is spoken; of a response, only the first phrase begins with a sound."""
        prosody = prosody_of(request.emotion, request.intensity)
        if isinstance(request, SpeakRequest):
            prosody = prosody._replace(speed=_checked_speed(request.speed))
        if self._tagged:
            return prosody._replace(tag="")
        self._tagged = True
        return prosody

    def _lead_s(self) -> float:
        """See ``Lead``: nothing is played before it was sent, nor faster than it lasts."""
        if self._begun_s is None or not self._credit.is_limited:
            return 0.0
        return self._sent / self._rate_hz - (self._clock() - self._begun_s)

    async def _send(self, ready: bytes, phrase: int, first: int, ended: bool) -> bytes:
        """Send chunks of ``ready``; return what is too short for one."""
        while ready:
            room = self._credit.room(self._sent, self._rate_hz)
            samples = len(ready) // BYTES_PER_SAMPLE
            begun = self._sent > first
            if not portion(samples, begun, None, self._rate_hz, ended):
                break
            size = portion(samples, begun, room, self._rate_hz, ended)
            if not size:
                await self._credit.more()
                continue
            chunk, ready = ready[: size * BYTES_PER_SAMPLE], ready[size * BYTES_PER_SAMPLE :]
            self._emit_chunk(phrase, chunk)
            # A voice far faster than real time must not keep the loop from other responses.
            await asyncio.sleep(0)
        return ready

    def _emit_chunk(self, phrase: int, pcm: bytes) -> None:
        header = SpeechChunk(
            phrase=phrase,
            first_sample=self._sent,
            rate_hz=self._rate_hz,
            energy=self._loudness.of(pcm),
        )
        if self._begun_s is None:
            self._begun_s = self._clock()
        self._sent += len(pcm) // BYTES_PER_SAMPLE
        self._emit(header, pcm)


def _rest(stream: _Stream | None, volume: float) -> bytes:
    """What was held back, at ``volume``."""
    return quieter(stream.resampler.finish(), volume) if stream is not None else b""


def _checked_speed(speed: float) -> float:
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise AgentError(f"speed must be {MIN_SPEED:g} to {MAX_SPEED:g}", code="bad_speed")
    return speed
