"""A voice of beeps whose every word lasts equally long: for tests and benches."""

import asyncio
import math
from array import array
from collections.abc import AsyncGenerator, Awaitable, Callable

from agents.runtime.errors import AgentError
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.prosody import Prosody
from agents.tts.tempo import at_tempo
from protocols.messages.speech import VisemeMark, WordMark

TONE_HZ = 440.0
TONE_PEAK = 8_000


class ScriptedVoice:
    """Speaks at once, or after ``pause_s`` before each word; the word ``fails_at`` raises
    ``error``. ``opened`` and ``closed`` count phrases that were begun and left."""

    name = "scripted"
    capacity = 1024

    def __init__(
        self,
        *,
        word_ms: int = 200,
        rate_hz: int = 16_000,
        pause_s: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        fails_at: int = -1,
        error: AgentError | None = None,
    ) -> None:
        self.rate_hz = rate_hz
        self._word_ms = word_ms
        self._pause_s = pause_s
        self._sleep = sleep
        self._fails_at = fails_at
        self._error = error or AgentError("scripted failure")
        self._word = Sound(_tone(rate_hz, rate_hz * word_ms // 1000))
        self.opened = 0
        self.closed = 0

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        """One beep for each word."""
        return at_tempo(self._spoken(text), prosody.speed, self.rate_hz)

    async def _spoken(self, text: str) -> AsyncGenerator[Sound | Marks, None]:
        words, long = text.split(), self._word_ms
        self.opened += 1
        try:
            yield Marks(
                tuple(WordMark(word, at * long, (at + 1) * long) for at, word in enumerate(words)),
                tuple(VisemeMark(word[0], at * long) for at, word in enumerate(words)),
            )
            for at in range(len(words)):
                if at == self._fails_at:
                    raise self._error
                if self._pause_s:
                    await self._sleep(self._pause_s)
                yield self._word
        finally:
            self.closed += 1


def _tone(rate_hz: int, samples: int) -> bytes:
    turn = 2 * math.pi * TONE_HZ / rate_hz
    return array("h", (round(TONE_PEAK * math.sin(turn * at)) for at in range(samples))).tobytes()
