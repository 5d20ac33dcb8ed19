"""When a second voice takes over from the first, and from which word on. Pure."""

from enum import StrEnum
from typing import NamedTuple

from agents.tts.parts import Marks
from protocols.messages.speech import WordMark

RESTS_S = 5.0
MOST_RESTS_S = 300.0


class Relief(StrEnum):
    """Why the second voice speaks."""

    BUSY = "busy"
    RESTING = "resting"
    """The first one failed a moment ago."""
    FAILED = "failed"
    LATE = "late"
    BROKE_OFF = "broke_off"
    """It failed in the middle of a phrase."""


class Health(NamedTuple):
    """How the first voice fares: failures in a row, and until when it is left alone."""

    failures: int = 0
    rests_until_s: float = 0.0

    def failed(self, now_s: float) -> "Health":
        """It failed: it rests, for twice as long as the last time."""
        rest_s = min(MOST_RESTS_S, RESTS_S * 2**self.failures)
        return Health(self.failures + 1, now_s + rest_s)


WELL = Health()


def relief_for(active: int, threshold: int | None, health: Health, now_s: float) -> Relief | None:
    """Why a phrase goes to the second voice, None if it goes to the first. ``active`` phrases are
    with the first one, which takes one more unless they are more than ``threshold`` (None: ever).
    """
    if now_s < health.rests_until_s:
        return Relief.RESTING
    if threshold is not None and active > threshold:
        return Relief.BUSY
    return None


class Said:
    """What of a phrase has sounded, word by word.

    Marks are held until the audio of their words comes, so that those given out are those that
    were begun: all others can still be said by another voice.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._waiting = Marks()
        self._letters = 0
        self.ended_ms = 0
        """End of the last word that was given out."""

    def add(self, marks: Marks) -> None:
        """The voice says when words sound."""
        self._waiting = Marks(
            self._waiting.words + marks.words, self._waiting.visemes + marks.visemes
        )

    def before(self, ms: int) -> Marks | None:
        """The marks to give out before audio that ends at ``ms``, if there are any."""
        words = tuple(word for word in self._waiting.words if word.start_ms < ms)
        visemes = tuple(viseme for viseme in self._waiting.visemes if viseme.at_ms < ms)
        self._waiting = Marks(
            self._waiting.words[len(words) :], self._waiting.visemes[len(visemes) :]
        )
        return self._given(Marks(words, visemes))

    def finish(self) -> Marks | None:
        """The marks that are left when the voice has said everything."""
        marks, self._waiting = self._waiting, Marks()
        return self._given(marks)

    def rest(self) -> str:
        """The words that were not begun."""
        at = letters = 0
        while letters < self._letters:
            letters += not self._text[at].isspace()
            at += 1
        return self._text[at:].strip()

    def _given(self, marks: Marks) -> Marks | None:
        self._letters += sum(len("".join(word.text.split())) for word in marks.words)
        self.ended_ms = max([self.ended_ms, *(word.end_ms for word in marks.words)])
        return marks if marks != Marks() else None


def silent(text: str, at_ms: int) -> Marks:
    """Marks of words that make no sound."""
    return Marks(tuple(WordMark(word, at_ms, at_ms) for word in text.split()))
