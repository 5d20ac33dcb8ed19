"""Moods as places in the plane of affect, and which of them a robot is in. Pure."""

from math import dist
from typing import NamedTuple

from agents.feelings.temperament import Affect
from protocols.vocabulary import EMOTIONS, NEGATIVE_EMOTIONS


class Mood(NamedTuple):
    """Where a mood is, and how far a language model's wish for it moves the robot."""

    at: Affect
    magnitude: float


MOODS = {
    "neutral": Mood(Affect(0.00, 0.00), 0.30),
    "happy": Mood(Affect(0.70, 0.35), 0.60),
    "excited": Mood(Affect(0.65, 0.80), 0.70),
    "curious": Mood(Affect(0.40, 0.45), 0.55),
    "love": Mood(Affect(0.80, 0.15), 0.60),
    "silly": Mood(Affect(0.55, 0.60), 0.60),
    "thinking": Mood(Affect(0.10, 0.20), 0.40),
    "surprised": Mood(Affect(0.15, 0.80), 0.65),
    "sad": Mood(Affect(-0.60, -0.40), 0.50),
    "scared": Mood(Affect(-0.70, 0.65), 0.50),
    "angry": Mood(Affect(-0.60, 0.70), 0.45),
    "confused": Mood(Affect(-0.20, 0.30), 0.40),
    "sleepy": Mood(Affect(0.05, -0.80), 0.40),
}
assert set(MOODS) == set(EMOTIONS)

NEGATIVE = NEGATIVE_EMOTIONS

REACH = 1.20
"""Distance from a mood's place at which nothing is left of it."""
_MARGIN, _INTO_NEGATIVE, _OUT_OF_NEGATIVE, _AMONG_NEGATIVE = 0.12, 0.15, 0.08, 0.10


class Shown(NamedTuple):
    """A mood and how strong it is, 0 to 1."""

    mood: str
    intensity: float


def nearest(affect: Affect, current: str) -> Shown:
    """The mood of ``affect``. The ``current`` one is kept until another is nearer by a margin, so
    that a face does not flicker between two."""
    distances = {name: dist(affect, mood.at) for name, mood in MOODS.items()}
    best = min(distances, key=distances.__getitem__)
    if best != current and distances[best] + _margin(current, best) > distances[current]:
        best = current
    return Shown(best, max(0.0, min(1.0, 1 - distances[best] / REACH)))


def _margin(current: str, best: str) -> float:
    match current in NEGATIVE, best in NEGATIVE:
        case False, True:
            return _INTO_NEGATIVE
        case True, False:
            return _OUT_OF_NEGATIVE
        case True, True:
            return _AMONG_NEGATIVE
    return _MARGIN
