"""Phonemes of a text, word by word, from espeak-ng: what other voices are fed with."""

import re
from bisect import bisect_right

from agents.tts.backends.espeak_engine import WORD, SpokenEvent, Voicing, engine
from agents.tts.kokoro_tokens import SpokenWord

_RATE_WPM, _VOLUME, _PITCH, _RANGE = 175, 100, 50, 50


class _Words:
    """Hears a text being spoken and keeps its phonemes; its audio is of no interest."""

    def __init__(self, text: str) -> None:
        spans = [(match.start(), match.group()) for match in re.finditer(r"\S+", text)]
        self._starts = [start for start, _ in spans]
        self._texts = [word for _, word in spans]
        self._phonemes: list[list[str]] = [[] for _ in spans]
        self._current = 0

    def is_stale(self) -> bool:
        return False

    def hear(self, pcm: bytes, events: list[SpokenEvent]) -> None:
        for event in events:
            if event.type == WORD:
                word = bisect_right(self._starts, event.position) - 1
                self._current = max(self._current, word)
            elif event.phoneme:
                self._phonemes[self._current].append(event.phoneme)

    def take(self) -> list[SpokenWord]:
        pairs = zip(self._texts, self._phonemes, strict=True)
        return [SpokenWord(text, tuple(phonemes)) for text, phonemes in pairs]


def phonemes_of(text: str, language: str) -> list[SpokenWord]:
    """The words of ``text`` as a speaker of ``language`` (espeak-ng's name of it) says them.

    Blocking: a fifth of a millisecond per word. Engine and voice are shared with ``EspeakVoice``.

    Raises:
        BackendUnavailable: espeak-ng cannot be loaded.
    """
    words = _Words(text)
    engine().speak(text, Voicing((language,), _RATE_WPM, _VOLUME, _PITCH, _RANGE), words)
    return words.take()
