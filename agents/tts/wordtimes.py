"""From an engine's events to word marks, while a phrase is being spoken.

The marks of a phrase name its whitespace-separated words one by one, so that joined by spaces they
are its text again. An engine reports where in the text it is; it may report two places of one word
("3.5"), one place of two words ("for a"), or none of one that makes no sound ("–").
"""

import re
from bisect import bisect_right

from protocols.messages.speech import WordMark


class WordTimes:
    """Times of the words of ``text``. Events come in the order of time."""

    def __init__(self, text: str) -> None:
        spans = [(match.start(), match.group()) for match in re.finditer(r"\S+", text)]
        self._starts = [start for start, _ in spans]
        self._words = [word for _, word in spans]
        self._current = -1
        self._begun_ms = 0
        self._ended_ms: int | None = None
        self._closed: list[WordMark] = []

    def at(self, position: int, ms: int) -> bool:
        """Character ``position`` (from 0) sounds; return whether a new word begins with it."""
        word = bisect_right(self._starts, position) - 1
        if word <= self._current:
            return False
        self._close(word, ms)
        self._begun_ms = ms
        return True

    def sound(self) -> None:
        """The current word goes on, whatever pause there was inside it."""
        self._ended_ms = None

    def pause(self, ms: int) -> None:
        """Nothing sounds from here on."""
        if self._current >= 0 and self._ended_ms is None:
            self._ended_ms = ms

    def finish(self, ms: int) -> None:
        """The phrase ends; every word has its mark now."""
        self._close(len(self._words), ms)

    def take(self) -> tuple[WordMark, ...]:
        """The marks of the words that have ended since the last call."""
        taken, self._closed = tuple(self._closed), []
        return taken

    def _close(self, following: int, ms: int) -> None:
        """End the words before ``following``, which begins at ``ms``.

        Those that were not reported are part of the sound of the one that was, by their length.
        """
        begun = self._begun_ms if self._current >= 0 else ms
        ended = max(begun, ms if self._ended_ms is None else min(ms, self._ended_ms))
        words = self._words[max(self._current, 0) : following]
        lengths = [len(word) if any(map(str.isalnum, word)) else 0 for word in words]
        total, past = max(1, sum(lengths)), 0
        for word, length in zip(words, lengths, strict=True):
            start = begun + (ended - begun) * past // total
            past += length
            self._closed.append(WordMark(word, start, begun + (ended - begun) * past // total))
        self._current, self._ended_ms = following, None
