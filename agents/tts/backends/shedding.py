"""Two voices as one: a preferred one, and one that speaks when it is busy, late or broken."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from agents.runtime.errors import AgentError, BackendTimeout, BackendUnavailable
from agents.tts.backends.base import Lead, Marks, Sound, Voice, no_lead
from agents.tts.prosody import Prosody
from agents.tts.relief import WELL, Relief, Said, relief_for, silent

FIRST_SOUND_S = 3.0
"""How long the preferred voice may be silent before the other one speaks: the hub gives a turn up
that is silent for four seconds."""
MOST_PAUSE_MS = 2_000

NO_FALLBACK = "tts_busy_no_fallback"

Part = Sound | Marks

log = structlog.get_logger(__name__)


class SheddingVoice:
    """Speaks with ``preferred`` while no more than ``threshold`` other phrases are with it (None:
    any number), else with ``fallback``.

    A phrase that breaks off goes on with the fallback at the first word that was not begun, in the
    fallback's own rate. A preferred voice that failed is left alone for a while. Unless it
    ``must_start``, it may fail to; the fallback may fail to in any case, and then is none.
    """

    def __init__(
        self,
        preferred: Voice,
        fallback: Voice,
        *,
        threshold: int | None = None,
        must_start: bool = True,
    ) -> None:
        self._preferred = preferred
        self._fallback: Voice | None = fallback
        self._threshold = threshold
        self._must_start = must_start
        self._active = 0
        self._health = WELL
        self._counts: Counter[str] = Counter()
        self.name = preferred.name
        self.capacity = max(preferred.capacity, fallback.capacity)
        self.info: dict[str, str] = {}
        """What became of the two when they were started."""

    @property
    def rate_hz(self) -> int:
        """The preferred voice's; each sound says its own."""
        return self._preferred.rate_hz

    @property
    def counters(self) -> Counter[str]:
        """Phrases that the fallback spoke, by reason, and what the preferred voice counts."""
        counts: Counter[str] = Counter(getattr(self._preferred, "counters", {}))
        return counts + self._counts

    async def start(self) -> None:
        """Start both.

        Raises:
            BackendUnavailable: the preferred voice does not start, and must or is the only one.
        """
        await self._start_fallback()
        try:
            await self._preferred.start()
        except BackendUnavailable as error:
            if self._must_start or self._fallback is None:
                raise
            self.name = self._fallback.name
            self.info["reason"] = f"{self._preferred.name} does not start: {error}"
            self._failed(error)
        else:
            self.info |= getattr(self._preferred, "info", {})

    async def _start_fallback(self) -> None:
        assert self._fallback is not None
        try:
            await self._fallback.start()
        except BackendUnavailable as error:
            log.warning("no_fallback_voice", backend=self._fallback.name, reason=str(error))
            self._fallback = None
            self.capacity = self._preferred.capacity
        else:
            self.info["fallback"] = self._fallback.name

    async def close(self) -> None:
        """Close both."""
        await self._preferred.close()
        if self._fallback is not None:
            await self._fallback.close()

    async def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Part, None]:
        """See ``Voice``.

        Raises:
            AgentError: ``tts_busy_no_fallback``, or what the preferred voice failed with where
                there is no other, or what the fallback failed with.
        """
        now_s = asyncio.get_running_loop().time()
        relief = relief_for(self._active, self._threshold, self._health, now_s)
        if self._fallback is None and relief is Relief.BUSY:
            raise AgentError("the voice is busy, and there is no other", NO_FALLBACK)
        said, begun_ms = Said(text), 0
        if relief is None or self._fallback is None:
            stretch = _Stretch(said)
            try:
                async with aclosing(
                    self._by_preferred(stretch, text, prosody, language, voice, lead)
                ) as parts:
                    async for part in parts:
                        yield part
                self._health = WELL
                return
            except AgentError as error:
                self._failed(error)
                if self._fallback is None:
                    raise
                relief = _relief_from(error, stretch)
            if pause := stretch.pause():
                yield pause
            begun_ms = stretch.ms
        self._counts[f"shed_{relief}"] += 1
        rest = said.rest()
        async with aclosing(self._by_fallback(rest, prosody, language, voice, lead)) as parts:
            async for part in parts:
                yield part.later(begun_ms) if isinstance(part, Marks) else part

    async def _by_preferred(
        self,
        stretch: "_Stretch",
        text: str,
        prosody: Prosody,
        language: str,
        voice: str,
        lead: Lead,
    ) -> AsyncGenerator[Part, None]:
        """What the preferred voice says, its marks as late as can be."""
        self._active += 1
        try:
            async with aclosing(
                self._preferred.speak(text, prosody, language, voice, lead)
            ) as parts:
                while (part := await self._next(parts, stretch, lead)) is not None:
                    for given in stretch.add(part, self._preferred.rate_hz):
                        yield given
            if marks := stretch.said.finish():
                yield marks
        finally:
            self._active -= 1

    async def _next(
        self, parts: AsyncGenerator[Part, None], stretch: "_Stretch", lead: Lead
    ) -> Part | None:
        """The voice's next part, the first sound in time (if it is not ahead by intention)."""
        if stretch.ms or self._fallback is None:
            return await anext(parts, None)
        try:
            async with asyncio.timeout(FIRST_SOUND_S + max(0.0, lead())):
                return await anext(parts, None)
        except TimeoutError as error:
            raise BackendTimeout(f"{self._preferred.name} does not begin to speak") from error

    async def _by_fallback(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead
    ) -> AsyncGenerator[Part, None]:
        assert self._fallback is not None
        if not any(char.isalnum() for char in text):
            if text:
                yield silent(text, 0)
            return
        async with aclosing(self._fallback.speak(text, prosody, language, voice, lead)) as parts:
            async for part in parts:
                if isinstance(part, Sound):
                    yield Sound(part.pcm, part.rate_hz or self._fallback.rate_hz)
                else:
                    yield part

    def _failed(self, error: AgentError) -> None:
        self._health = self._health.failed(asyncio.get_running_loop().time())
        log.warning(
            "voice_failed",
            backend=self._preferred.name,
            code=error.code,
            reason=str(error),
            failures=self._health.failures,
        )


class _Stretch:
    """What the preferred voice made of a phrase."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self._samples_ms = 0.0
        self._rate_hz = 0

    @property
    def ms(self) -> int:
        """How long it sounds."""
        return int(self._samples_ms)

    def add(self, part: Part, usual_hz: int) -> list[Part]:
        """What is given out for ``part``."""
        if isinstance(part, Marks):
            self.said.add(part)
            return []
        self._rate_hz = part.rate_hz or usual_hz
        self._samples_ms += len(part.pcm) * 500 / self._rate_hz
        marks = self.said.before(self.ms)
        sound = Sound(part.pcm, self._rate_hz)
        return [sound] if marks is None else [marks, sound]

    def pause(self) -> Sound | None:
        """Silence for the rest of a word that was broken off, so that none begins before it ends."""
        ms = min(MOST_PAUSE_MS, self.said.ended_ms - self.ms)
        if ms <= 0:
            return None
        pcm = bytes(self._rate_hz * ms // 1000 * 2)
        self._samples_ms += len(pcm) * 500 / self._rate_hz
        return Sound(pcm, self._rate_hz)


def _relief_from(error: AgentError, stretch: _Stretch) -> Relief:
    if stretch.ms:
        return Relief.BROKE_OFF
    return Relief.LATE if isinstance(error, BackendTimeout) else Relief.FAILED
