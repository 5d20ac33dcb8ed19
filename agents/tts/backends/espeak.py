"""espeak-ng as a voice: batches of marks and audio, from a thread of its own."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from agents.runtime.errors import BackendUnavailable
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.backends.espeak_engine import WORD, SpokenEvent, Voicing, engine
from agents.tts.prosody import NEUTRAL, Prosody
from agents.tts.speakable import in_pieces
from agents.tts.tempo import at_tempo, shared
from agents.tts.wordtimes import WordTimes
from protocols.messages.speech import VisemeMark

PIECE_CHARS = 400
"""A longer text is spoken in pieces: others get their turn between them, and no more than one is
made ahead of what is sent (30 s of audio, some 20 ms of work)."""
MIN_WPM, MAX_WPM = 80, 450

FIRST_BATCH_MS, BATCH_MS = 20, 1_000
"""Marks and audio are given out in batches of whole words, the first one as soon as it can be."""

_VOICE_NAME = re.compile(r"[A-Za-z0-9+_-]{1,32}")
_STRESS = str.maketrans("", "", "ˈˌ")

Part = Sound | Marks
Give = Callable[[Part | None], None]


class EspeakVoice:
    """Speaks with espeak-ng's voice ``voice`` at ``rate_wpm``, or with the voice or language that
    a phrase asks for. The pieces of all responses wait in one queue for the one engine."""

    name = "espeak"
    capacity = 64

    def __init__(self, voice: str = "en-us", rate_wpm: int = 165) -> None:
        self._voice = voice
        self._rate_wpm = rate_wpm
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="espeak")
        self.rate_hz = 0

    async def start(self) -> None:
        """Load the engine and speak a word.

        Raises:
            BackendUnavailable: the library is missing, or it is silent.
        """
        loop = asyncio.get_running_loop()
        self.rate_hz = (await loop.run_in_executor(self._thread, engine)).rate_hz
        spoken = [part async for part in self.speak("ready", NEUTRAL, "en", "")]
        if not any(isinstance(part, Sound) and any(part.pcm) for part in spoken):
            raise BackendUnavailable("espeak-ng makes no sound")

    async def close(self) -> None:
        """End the thread; the engine itself stays loaded with the process."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Part, None]:
        """See ``Voice``."""
        share = shared(self._rate_wpm * prosody.rate, prosody.speed, MIN_WPM, MAX_WPM)
        voicing = Voicing(
            voice_names(voice, language, self._voice),
            rate_wpm=round(share.rate),
            volume=_clamp(100 * prosody.volume, 0, 200),
            pitch=_clamp(50 + prosody.pitch, 0, 100),
            range=_clamp(50 + prosody.range, 0, 100),
        )
        return at_tempo(self._spoken(text, voicing), share.stretch, self.rate_hz)

    async def _spoken(self, text: str, voicing: Voicing) -> AsyncGenerator[Part, None]:
        loop = asyncio.get_running_loop()
        parts: asyncio.Queue[Part | None] = asyncio.Queue()

        def give(part: Part | None) -> None:
            # A loop that is closed has nobody left to listen.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(parts.put_nowait, part)

        first_sample = 0
        for text_piece in in_pieces(text, PIECE_CHARS):
            piece = _Piece(text_piece, first_sample, self.rate_hz, give)
            done = loop.run_in_executor(self._thread, piece.speak, voicing)
            try:
                while (part := await parts.get()) is not None:
                    yield part
                await done
            finally:
                piece.abandon()
            first_sample += piece.samples


class _Piece:
    """A text on its way through the engine, spoken once. Only ``abandon`` is called on the loop.

    A word's mark holds its end, which the engine tells no sooner than the next word; so the audio
    of a word is held back until then, for the marks to come first.
    """

    def __init__(self, text: str, first_sample: int, rate_hz: int, give: Give) -> None:
        self._text = text
        self._first_sample = first_sample
        self._rate_hz = rate_hz
        self._give = give
        self._times = WordTimes(text)
        self._visemes: list[VisemeMark] = []
        self._held = bytearray()
        self._least = rate_hz * FIRST_BATCH_MS // 1000
        self._abandoned = False
        self.samples = 0

    def speak(self, voicing: Voicing) -> None:
        """Body of the thread: speak all of it, then give None."""
        try:
            engine().speak(self._text, voicing, self)
            self._times.finish(self._ms(self.samples))
            self._give_up_to(self.samples)
        finally:
            self._give(None)

    def abandon(self) -> None:
        """Nobody listens any more; the engine stops within one buffer."""
        self._abandoned = True

    def is_stale(self) -> bool:
        return self._abandoned

    def hear(self, pcm: bytes, events: list[SpokenEvent]) -> None:
        self._held += pcm
        self.samples += len(pcm) // 2
        for event in events:
            ms = self._ms(event.sample)
            if event.type == WORD:
                begun = self._times.at(event.position, ms)
                if begun and self._held_before(event.sample) >= self._least:
                    self._give_up_to(event.sample)
                    self._least = self._rate_hz * BATCH_MS // 1000
            elif event.phoneme:
                self._times.sound()
                self._visemes.append(VisemeMark(event.phoneme.translate(_STRESS), ms))
            else:
                self._times.pause(ms)

    def _give_up_to(self, sample: int) -> None:
        """Give the marks of all words that have ended, then the audio before ``sample``."""
        words, visemes = self._times.take(), tuple(self._visemes)
        self._visemes.clear()
        if words or visemes:
            self._give(Marks(words, visemes))
        size = self._held_before(sample) * 2
        if size:
            self._give(Sound(bytes(self._held[:size])))
            del self._held[:size]

    def _held_before(self, sample: int) -> int:
        """How many of the held samples come before ``sample``."""
        held = len(self._held) // 2
        return max(0, min(held, held - (self.samples - sample)))

    def _ms(self, sample: int) -> int:
        return (self._first_sample + sample) * 1000 // self._rate_hz


def voice_names(asked: str, language: str, usual: str) -> tuple[str, ...]:
    """Names to try, best first: the voice that was asked for, the usual one if it speaks
    ``language``, the language itself, its main variety, the usual one."""
    main = language.split("-")[0].lower()
    speaks_it = usual.split("-")[0] == main
    names = (asked, usual if speaks_it else "", language.lower(), main, usual)
    return tuple(dict.fromkeys(name for name in names if _VOICE_NAME.fullmatch(name)))


def _clamp(value: float, least: int, most: int) -> int:
    return min(most, max(least, round(value)))
