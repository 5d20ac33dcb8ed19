"""Word error rate: how much of what was said was understood."""

import re
from typing import NamedTuple

_NOT_A_WORD = re.compile(r"[^\w\s]|_")
_GAPS = re.compile(r"[-‐–—/]+(?=\w)")


class WordErrors(NamedTuple):
    """``errors`` substitutions, deletions and insertions against ``words`` reference words."""

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """Errors per reference word; above 1 where much was inserted. 0 of nothing is 0."""
        if not self.words:
            return 1.0 if self.errors else 0.0
        return self.errors / self.words

    def __add__(self, other: object) -> "WordErrors":
        if not isinstance(other, WordErrors):
            return NotImplemented
        return WordErrors(self.errors + other.errors, self.words + other.words)


def normalised(text: str) -> list[str]:
    """The words of ``text`` without case and punctuation; compounds count by their parts."""
    return _NOT_A_WORD.sub("", _GAPS.sub(" ", text.casefold())).split()


def word_errors(reference: str, understood: str) -> WordErrors:
    """Levenshtein distance over normalised words."""
    said, got = normalised(reference), normalised(understood)
    previous = list(range(len(got) + 1))
    for row, word in enumerate(said, start=1):
        current = [row]
        for column, other in enumerate(got, start=1):
            current.append(
                min(
                    previous[column] + 1,
                    current[-1] + 1,
                    previous[column - 1] + (word != other),
                )
            )
        previous = current
    return WordErrors(previous[-1], len(said))
