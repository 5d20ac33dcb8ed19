"""The heard ledger: which words of a response reached the user's ear.

Only what was played enters the history (I11), so the words come from the loudspeaker's position,
never from what was generated.
"""

from collections.abc import Sequence
from typing import Protocol

from protocols.messages.speech import WordMark

TOLERANCE_MS = 80
"""A word counts as heard if it ends at most this much after the last sample played."""


def heard_words(marks: Sequence[WordMark], played_ms: int) -> int:
    """How many words, in order, were heard in full."""
    count = 0
    for mark in marks:
        if mark.end_ms > played_ms + TOLERANCE_MS:
            break
        count += 1
    return count


def heard_text(text: str, marks: Sequence[WordMark], played_ms: int) -> str:
    """The prefix of ``text`` that was heard, with its punctuation.

    ``marks`` name the spoken words in order; a mark that does not occur in the rest of the text
    (a number that was spelled out, say) does not move the cursor.
    """
    count = heard_words(marks, played_ms)
    cursor = 0
    for mark in marks[:count]:
        at = text.find(mark.text, cursor) if mark.text else -1
        if at >= 0:
            cursor = at + len(mark.text)
    while 0 < cursor < len(text) and not text[cursor].isspace():
        if text[cursor].isalnum():
            break
        cursor += 1
    return text[:cursor].strip()


class SpokenPhrase(Protocol):
    """A phrase of a response: see ``hub.session.state.Phrase``."""

    @property
    def text(self) -> str: ...

    @property
    def filler(self) -> bool: ...

    @property
    def words(self) -> Sequence[WordMark]: ...


def heard_answer(phrases: Sequence[SpokenPhrase], played_ms: int) -> str:
    """What was heard of a response; a filler was heard too, but is no part of it."""
    marks = [word for phrase in phrases for word in phrase.words]
    heard = heard_text(" ".join(p.text for p in phrases), marks, played_ms)
    for phrase in phrases:
        if not phrase.filler:
            break
        heard = heard.removeprefix(phrase.text).strip() if len(heard) > len(phrase.text) else ""
    return heard


def spread_marks(text: str, first_ms: int, last_ms: int) -> tuple[WordMark, ...]:
    """Estimated word times for a voice that reports none: by share of characters."""
    words = text.split()
    total = sum(len(word) + 1 for word in words)
    marks: list[WordMark] = []
    done = 0
    for word in words:
        start = first_ms + (last_ms - first_ms) * done // total
        done += len(word) + 1
        marks.append(WordMark(word, start, first_ms + (last_ms - first_ms) * done // total))
    return tuple(marks)
