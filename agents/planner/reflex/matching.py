"""Finds phrases in a transcript although the recogniser got some of it wrong.

A phrase is words in order; those marked ``+`` carry its meaning (weight 1), the others only help
(weight 0.4). A word may be misspelt by a letter or two if it is long enough, and a few foreign
words may stand in between. The score is the share of a phrase's weight that was found.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

THRESHOLD = 0.71
"""The least score that counts as found."""
MAX_WORDS = 60
"""How much of a transcript is looked at."""

_KEY_WEIGHT, _HELP_WEIGHT = 1.0, 0.4
_MISSPELT = 0.8
_GAP_WORDS = 2

_NOT_WORD = re.compile(r"[^\w' ]+")
_SPELLED_OUT = {
    "what's": "what is", "who's": "who is", "where's": "where is", "how's": "how is",
    "i'm": "i am", "you're": "you are", "it's": "it is", "that's": "that is", "let's": "let us",
    "name's": "name is", "don't": "do not", "didn't": "did not", "can't": "can not",
    "wanna": "want to", "bye-bye": "goodbye", "ok": "okay",
}  # fmt: skip
_JOINED = (("good bye", "goodbye"), ("your self", "yourself"), ("to day", "today"))


class Phrase(NamedTuple):
    """Words of a phrase with their weights."""

    words: tuple[str, ...]
    weights: tuple[float, ...]
    total: float


class Found(NamedTuple):
    """A phrase found: how much of it (0..1), how much it weighs, and the word after its last."""

    score: float
    weight: float
    end: int


def phrase(text: str) -> Phrase:
    """Read a phrase, e.g. ``"tell me a +story"``."""
    marked = text.split()
    weights = tuple(_KEY_WEIGHT if word.startswith("+") else _HELP_WEIGHT for word in marked)
    return Phrase(tuple(word.lstrip("+") for word in marked), weights, sum(weights))


def words_of(transcript: str) -> list[str]:
    """Lower-case words of a transcript, contractions spelled out."""
    plain = _NOT_WORD.sub(" ", transcript[: MAX_WORDS * 20].lower().replace("’", "'"))
    text = " ".join(_SPELLED_OUT.get(word, word.strip("'")) for word in plain.split())
    for apart, joined in _JOINED:
        text = text.replace(apart, joined)
    return text.split()[:MAX_WORDS]


def find(wanted: Phrase, words: Sequence[str]) -> Found | None:
    """Where ``wanted`` stands in ``words``, the best place if there are several."""
    if _best_possible(wanted, words) < THRESHOLD:
        return None
    span = len(wanted.words) + _GAP_WORDS
    best: Found | None = None
    for start in range(len(words)):
        weight, end = _aligned(wanted, words, start, min(len(words), start + span))
        if best is None or weight > best.weight:
            best = Found(weight / wanted.total, weight, end)
    return best if best is not None and best.score >= THRESHOLD else None


def _best_possible(wanted: Phrase, words: Sequence[str]) -> float:
    found = (
        weight * max((similarity(word, heard) for heard in words), default=0.0)
        for word, weight in zip(wanted.words, wanted.weights, strict=True)
    )
    return sum(found) / wanted.total


def _aligned(wanted: Phrase, words: Sequence[str], start: int, stop: int) -> tuple[float, int]:
    """Heaviest in-order alignment within ``words[start:stop]`` and where it ends (longest common
    subsequence with weights)."""
    row = [(0.0, start)] * (stop - start + 1)
    for word, weight in zip(wanted.words, wanted.weights, strict=True):
        above, row = row, [(0.0, start)]
        for column, heard in enumerate(words[start:stop]):
            alike = similarity(word, heard) * weight
            taken = (above[column][0] + alike, start + column + 1 if alike else above[column][1])
            row.append(max(taken, above[column + 1], row[column], key=lambda cell: cell[0]))
    return row[-1]


@lru_cache(maxsize=8192)
def similarity(word: str, heard: str) -> float:
    """1 for the same word, 0.8 for one that is misspelt a little, else 0."""
    if word == heard:
        return 1.0
    allowed = 0 if len(word) < 5 else 1 if len(word) < 8 else 2
    if abs(len(word) - len(heard)) > allowed:
        return 0.0
    return _MISSPELT if _distance(word, heard) <= allowed else 0.0


def _distance(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b)),
            )
    return row[-1]
