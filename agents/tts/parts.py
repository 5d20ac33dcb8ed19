"""What a voice gives out for a phrase, piece by piece."""

from collections.abc import Callable
from typing import NamedTuple

from protocols.messages.speech import VisemeMark, WordMark


class Sound(NamedTuple):
    """Audio of a phrase: mono s16le, whole samples, at ``rate_hz`` (0: the voice's own). The rate
    may change from one sound to the next, as it does where one voice takes over from another."""

    pcm: bytes
    rate_hz: int = 0


class Marks(NamedTuple):
    """What sounds when, in milliseconds of the phrase."""

    words: tuple[WordMark, ...] = ()
    visemes: tuple[VisemeMark, ...] = ()

    def later(self, by_ms: int) -> "Marks":
        """The same, ``by_ms`` later."""
        return Marks(
            tuple(WordMark(w.text, w.start_ms + by_ms, w.end_ms + by_ms) for w in self.words),
            tuple(VisemeMark(v.phoneme, v.at_ms + by_ms) for v in self.visemes),
        )


Lead = Callable[[], float]
"""Seconds of audio that a response is ahead of what has been played of it, at the least."""


def no_lead() -> float:
    """The lead of speech that nobody plays as it comes."""
    return 0.0
