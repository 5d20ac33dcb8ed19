"""From an engine's events to word marks, while a phrase is being spoken.

The marks of a phrase name its whitespace-separated words one by one, so that joined by spaces they
are its text again. An engine reports where in the text it is; it may report two places of one word
("3.5") or none of a word that it does not pronounce ("–"), which then takes no time.
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
        self._close(ms)
        self._skip_to(word, ms)
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
        self._close(ms)
        self._skip_to(len(self._words), ms)

    def take(self) -> tuple[WordMark, ...]:
        """The marks of the words that have ended since the last call."""
        taken, self._closed = tuple(self._closed), []
        return taken

    def _close(self, ms: int) -> None:
        if 0 <= self._current < len(self._words):
            end = ms if self._ended_ms is None else min(ms, self._ended_ms)
            word = self._words[self._current]
            self._closed.append(WordMark(word, self._begun_ms, max(end, self._begun_ms)))
        self._ended_ms = None

    def _skip_to(self, word: int, ms: int) -> None:
        """Give the words before ``word`` that made no sound the moment in which they would be."""
        for silent in self._words[self._current + 1 : word]:
            self._closed.append(WordMark(silent, ms, ms))
        self._current = word
