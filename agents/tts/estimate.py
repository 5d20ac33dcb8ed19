"""When words sound, for voices that do not say it: by their letters, at the voice's own pace.

A letter is the unit: English takes some 70 ms for one at 165 words per minute. What the estimate
is used for is how much of an answer was heard, so a word never ends after the audio that is known,
nor does the last one end before it.
"""

import unicodedata
from typing import NamedTuple

from agents.tts.parts import Marks, Sound
from agents.tts.speakable import after_word
from protocols.messages.speech import WordMark

MS_PER_UNIT = 70.0
LEAST_MS, MOST_MS = 25.0, 250.0
_DIGIT, _IDEOGRAPH, _SYMBOL = 4.0, 3.0, 5.0
"""Letters that a digit, a character of a syllabic script and a symbol that is read out count for."""
_READ_OUT = frozenset("%&+=@$€£°")
_PAUSES = {",": 3.0, ";": 3.0, ":": 3.0, ".": 6.0, "!": 6.0, "?": 6.0, "…": 6.0}
_LEARNED = 0.3
"""Weight of the latest phrase in the pace."""
HOLD_MS = 80
"""Audio that is held back, so that the last word is marked before it ends."""


class Weight(NamedTuple):
    """How long a word and the pause after it last, in letters."""

    sound: float
    pause: float


def weigh(word: str) -> Weight:
    """The weight of one whitespace-separated word."""
    pause = max((_PAUSES.get(char, 0.0) for char in after_word(word)), default=0.0)
    return Weight(sum(map(_units, word)), pause)


def _units(char: str) -> float:
    if char.isdecimal():
        return _DIGIT
    if char.isalnum():
        return _IDEOGRAPH if unicodedata.east_asian_width(char) in "WF" else 1.0
    return _SYMBOL if char in _READ_OUT else 0.0


def units_of(text: str) -> float:
    """Length of ``text`` in letters, with its pauses but the one at its end."""
    weights = [weigh(word) for word in text.split()]
    return sum(w.sound + w.pause for w in weights) - (weights[-1].pause if weights else 0.0)


def spread(words: list[str], first_ms: int, last_ms: int) -> tuple[WordMark, ...]:
    """Marks of ``words`` that are known to sound from ``first_ms`` to ``last_ms``."""
    weights = [weigh(word) for word in words]
    total = sum(w.sound + w.pause for w in weights) - (weights[-1].pause if weights else 0.0)
    length, past = last_ms - first_ms, 0.0
    marks: list[WordMark] = []
    for word, weight in zip(words, weights, strict=True):
        start, end = past / (total or 1.0), (past + weight.sound) / (total or 1.0)
        past += weight.sound + weight.pause
        end = 1.0 if len(marks) == len(words) - 1 else end
        marks.append(WordMark(word, first_ms + int(length * start), first_ms + int(length * end)))
    return tuple(marks)


class Pace:
    """How long a voice takes for a letter, learned from the phrases it has spoken to their end."""

    def __init__(self, ms_per_unit: float = MS_PER_UNIT) -> None:
        self.ms_per_unit = ms_per_unit

    def learn(self, units: float, ms: float) -> None:
        """A phrase of ``units`` lasted ``ms`` at the usual rate."""
        if units > 0:
            seen = min(MOST_MS, max(LEAST_MS, ms / units))
            self.ms_per_unit += (seen - self.ms_per_unit) * _LEARNED


class EstimatedTimes:
    """Times of the words of ``text``, while its audio comes in and its length is not known."""

    def __init__(self, text: str, ms_per_unit: float) -> None:
        self._words = text.split()
        self._ms_per_unit = ms_per_unit
        self._spans: list[tuple[float, float]] = []
        past = 0.0
        for weight in map(weigh, self._words):
            self._spans.append((past * ms_per_unit, (past + weight.sound) * ms_per_unit))
            past += weight.sound + weight.pause
        self._next = 0
        self._ended_ms = 0
        self._given_ms = 0

    def before(self, ms: int, known_ms: int) -> tuple[WordMark, ...]:
        """Marks of the words that begin before ``ms``, where there is audio up to ``known_ms``.

        The last word is not among them: only :meth:`finish` knows when it ends.
        """
        marks, self._given_ms = [], ms
        while self._next < len(self._words) - 1 and self._spans[self._next][0] < ms:
            start, end = self._spans[self._next]
            begun = max(self._ended_ms, min(int(start), known_ms))
            self._ended_ms = max(begun, min(int(end), known_ms))
            marks.append(WordMark(self._words[self._next], begun, self._ended_ms))
            self._next += 1
        return tuple(marks)

    def finish(self, ms: int) -> tuple[WordMark, ...]:
        """Marks of all other words, where the audio ends at ``ms``: as late as was estimated, or
        as much earlier as they need to fit into what is not given out yet."""
        left, self._next = self._words[self._next :], len(self._words)
        if not left:
            return ()
        start, end = self._spans[-len(left)][0], self._spans[-1][1]
        begun = max(self._ended_ms, int(min(start, ms - (end - start))))
        if len(left) > 1:
            begun = max(begun, self._given_ms)
        return spread(left, min(begun, ms), ms)


class EstimatedSpeech:
    """Puts marks between the audio of a phrase, which comes as bytes of any length.

    ``factor`` is how much faster than usual the phrase is spoken.
    """

    def __init__(self, text: str, rate_hz: int, pace: Pace, factor: float = 1.0) -> None:
        self._times = EstimatedTimes(text, pace.ms_per_unit / factor)
        self._units = units_of(text)
        self._rate_hz = rate_hz
        self._pace = pace
        self._factor = factor
        self._held = bytearray()
        self._given = 0

    @property
    def samples(self) -> int:
        """How much audio came in."""
        return self._given + len(self._held) // 2

    def add(self, pcm: bytes) -> list[Marks | Sound]:
        """What can be given out now that ``pcm`` (s16le) came."""
        self._held += pcm
        size = len(self._held) // 2 - self._rate_hz * HOLD_MS // 1000
        if size <= 0:
            return []
        marks = self._times.before(self._ms(self._given + size), self._ms(self.samples))
        return self._give(marks, size)

    def finish(self) -> list[Marks | Sound]:
        """The rest, when all audio came."""
        total = self.samples
        self._pace.learn(self._units, self._ms(total) * self._factor)
        return self._give(self._times.finish(self._ms(total)), len(self._held) // 2)

    def _give(self, marks: tuple[WordMark, ...], size: int) -> list[Marks | Sound]:
        pcm = bytes(self._held[: size * 2])
        del self._held[: size * 2]
        self._given += size
        parts: list[Marks | Sound] = [Marks(marks)] if marks else []
        return [*parts, Sound(pcm, self._rate_hz)] if pcm else parts

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self._rate_hz
