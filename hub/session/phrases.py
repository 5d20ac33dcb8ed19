"""Cuts a growing response into phrases that can be spoken on their own.

The first phrase is short so that the voice starts early; later ones are longer so that the
prosody is natural. A phrase ends at a sentence end, or, once it is long enough, at a clause; a
text without either is cut between words at ``MAX_CHARS``.
"""

import re
from typing import NamedTuple

FIRST_MIN_CHARS = 6
NEXT_MIN_CHARS = 24
CLAUSE_MIN_CHARS = 48
FIRST_CLAUSE_MIN_CHARS = 18
MAX_CHARS = 240

_SENTENCE = re.compile(r"[.!?…]+[\"')\]]*(?=\s)")
_CLAUSE = re.compile(r"[,;:–—](?=\s)")


class Cut(NamedTuple):
    """Phrases that are complete, and the rest that may still grow."""

    phrases: tuple[str, ...]
    rest: str


def cut(text: str, first: bool, final: bool) -> Cut:
    """Cut ``text``; ``first`` if no phrase of the response was cut before, ``final`` if nothing
    will be added to it."""
    phrases: list[str] = []
    while end := _end(text, first and not phrases):
        phrase, text = text[:end].strip(), text[end:]
        if phrase:
            phrases.append(phrase)
    if final and text.strip():
        phrases.append(text.strip())
        text = ""
    return Cut(tuple(phrases), text)


def _end(text: str, first: bool) -> int:
    """Where the next phrase of ``text`` ends, 0 if it is not complete yet."""
    sentence_min, clause_min = (
        (FIRST_MIN_CHARS, FIRST_CLAUSE_MIN_CHARS) if first else (NEXT_MIN_CHARS, CLAUSE_MIN_CHARS)
    )
    ends = [_first(_SENTENCE, text, sentence_min), _first(_CLAUSE, text, clause_min)]
    found = min((end for end in ends if end), default=0)
    if found and found <= MAX_CHARS:
        return found
    if len(text) > MAX_CHARS:
        return text.rfind(" ", 1, MAX_CHARS) + 1 or MAX_CHARS
    return 0


def _first(pattern: re.Pattern[str], text: str, at_least: int) -> int:
    for match in pattern.finditer(text):
        if len(text[: match.end()].strip()) >= at_least:
            return match.end()
    return 0
