"""What engines find in a picture without understanding it: text and balls. Plain data."""

from typing import NamedTuple

from protocols.messages.vision import Ball


class Word(NamedTuple):
    """A word, its rectangle in pixels, and how sure the reader is (0 to 1)."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float


class Line(NamedTuple):
    """Text that stands together, and its words; for scripts without spaces, its characters."""

    whole: Word
    words: tuple[Word, ...] = ()


class Page(NamedTuple):
    """All text of a picture, in the pixels of the picture as it was sent."""

    width: int
    height: int
    lines: tuple[Line, ...] = ()


class Scene(NamedTuple):
    """The balls of a picture, the surest first, in the pixels of the picture as it was sent;
    ``brightness`` is its mean, from 0 (black) to 1."""

    width: int
    height: int
    balls: tuple[Ball, ...] = ()
    brightness: float = 0.5
