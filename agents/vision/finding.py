"""Where on a page is what bears a name? Pure.

A label that *is* the name comes before a label that only holds it: who asks for "Save" must not be
sent to "Save as…". Letters that readers take for each other count as alike, but a name that is not
there is not there: no label is taken for one that merely resembles it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agents.vision.seen import Line, Page, Word
from protocols.messages.vision import Box

MAX_BOXES = 300
"""Answers are messages of the control lane."""
WHOLE, WITHIN = 1.0, 0.7
"""How much of the reader's confidence is left if the label is the name, and if it only holds it."""
MISREAD = 0.9
"""The same, if the letters are alike and not equal."""
GAP = 1.5
"""Widest gap between two labels that are one name, in heights of a line."""
LEVEL = 0.5
"""How far apart their middles may be, likewise."""
LETTERS_PER_SLIP = 10
"""A name may have one letter misread per so many; shorter names none but those of ``_ALIKE``."""

_ALIKE = str.maketrans({"0": "o", "1": "l", "|": "l", "i": "l", "5": "s", "8": "b", "2": "z"})
_NO_LETTER = re.compile(r"[^\w]+")


class _Label(NamedTuple):
    words: tuple[Word, ...]
    is_whole: bool


def places(page: Page, name: str) -> tuple[Box, ...]:
    """The boxes that bear ``name``, the likeliest first; all lines of the page if it is empty.

    Where some label is the name as a whole, those that only hold it are left out.
    """
    if not name.strip():
        return tuple(_box((line.whole,), 1.0) for line in page.lines[:MAX_BOXES])
    wanted = _letters(name)
    if not wanted:
        return ()
    found = [
        (label.is_whole, _box(label.words, likeness * (WHOLE if label.is_whole else WITHIN)))
        for label in _labels(page.lines, wanted)
        if (likeness := _likeness(wanted, _letters(_text(label.words))))
    ]
    wholes = [box for is_whole, box in found if is_whole]
    best = sorted(wholes or [box for _, box in found], key=lambda box: -box.confidence)
    return tuple(_distinct(best))[:MAX_BOXES]


def _labels(lines: Sequence[Line], wanted: str) -> Iterator[_Label]:
    """Everything that could be the name: lines, neighbouring lines joined, and words of a line."""
    for line in lines:
        yield _Label((line.whole,), True)
        yield from (_Label(run, False) for run in _runs(line.words, len(wanted)))
    for first in lines:
        joined, last = [first.whole], first.whole
        while len(_letters(_text(joined))) < len(wanted):
            after = _next(last, lines)
            if after is None:
                break
            joined.append(after)
            last = after
        if len(joined) > 1:
            yield _Label(tuple(joined), True)


def _runs(words: Sequence[Word], letters: int) -> Iterator[tuple[Word, ...]]:
    """Neighbouring words of a line, less than all of it, of about so many letters."""
    for begin in range(len(words)):
        for end in range(begin + 1, len(words) + 1):
            run = tuple(words[begin:end])
            length = len(_letters(_text(run)))
            if length > letters:
                break
            if length == letters and len(run) < len(words):
                yield run


def _next(word: Word, lines: Sequence[Line]) -> Word | None:
    """The label that goes on to the right of ``word`` on the same level."""
    height = word.bottom - word.top
    near = [
        other
        for other, _ in lines
        if -height / 2 <= other.left - word.right <= GAP * height
        and abs(_middle(other) - _middle(word)) <= LEVEL * height
        and other.left > word.left
    ]
    return min(near, key=lambda other: other.left, default=None)


def _middle(word: Word) -> float:
    return (word.top + word.bottom) / 2


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _letters(text: str) -> str:
    """What is compared: letters and digits, in one case, without the spaces that readers lose. A
    name of signs alone is its signs."""
    folded = text.casefold()
    return _NO_LETTER.sub("", folded) or "".join(folded.split())


def _likeness(wanted: str, read: str) -> float:
    """1 for the same letters, ``MISREAD`` for letters taken for each other, else 0."""
    if wanted == read:
        return 1.0
    one, other = wanted.translate(_ALIKE), read.translate(_ALIKE)
    if len(one) != len(other):
        return 0.0
    slips = sum(a != b for a, b in zip(one, other, strict=True))
    return MISREAD if slips <= len(one) // LETTERS_PER_SLIP else 0.0


def _box(words: Sequence[Word], share: float) -> Box:
    """The box around ``words``; as sure as the least sure of them, times ``share``."""
    left, top = min(w.left for w in words), min(w.top for w in words)
    right, bottom = max(w.right for w in words), max(w.bottom for w in words)
    return Box(
        text=_text(words),
        x=(left + right) / 2,
        y=(top + bottom) / 2,
        width=right - left,
        height=bottom - top,
        confidence=round(min(w.confidence for w in words) * share, 4),
    )


def _distinct(boxes: Sequence[Box]) -> Iterator[Box]:
    """``boxes`` without those whose place an earlier one has."""
    taken: list[Box] = []
    for box in boxes:
        if all(abs(box.x - other.x) > 2 or abs(box.y - other.y) > 2 for other in taken):
            taken.append(box)
            yield box
