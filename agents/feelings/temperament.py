"""What a robot is like: five axes, and the numbers that the affect engine makes of them. Pure."""

from dataclasses import dataclass
from math import exp
from typing import NamedTuple


class Affect(NamedTuple):
    """Valence (unpleasant to pleasant) and arousal (calm to excited), each -1 to 1; Russell, "A
    circumplex model of affect", J. Personality and Social Psychology 39(6), 1980."""

    valence: float
    arousal: float


@dataclass(frozen=True)
class Axes:
    """A temperament, each 0 to 1."""

    energy: float = 0.40
    reactivity: float = 0.50
    initiative: float = 0.30
    vulnerability: float = 0.35
    predictability: float = 0.75


@dataclass(frozen=True)
class Temperament:
    """The numbers of the engine. Rates per second; scales without unit."""

    baseline: Affect
    decay: float
    decay_above: float
    """Factor of the rate on the way down to the baseline: good mood lasts a little longer."""
    decay_below: float
    scale_pleasant: float
    """Of impulses that raise valence."""
    scale_unpleasant: float
    lowest: Affect
    highest: Affect
    noise: float
    """Standard deviation after one second."""
    idle_magnitude: float
    """How far a whim moves a robot that nobody talks with."""
    whims: float
    """How many of them a second has."""


DECAY_ABOVE, DECAY_BELOW = 0.85, 1.30
HIGHEST_VALENCE, LOWEST_AROUSAL = 0.95, -0.90
BASELINE_VALENCE = 0.10
WHIM_EVERY_S = 20.0
"""Between two whims of a robot that is all initiative."""


def temperament(axes: Axes) -> Temperament:
    """What ``axes`` make of a robot."""
    reacts = 1 / (1 + exp(-5 * (axes.reactivity - 0.5)))
    pleasant = 0.5 + reacts
    return Temperament(
        baseline=Affect(BASELINE_VALENCE, 0.5 * (axes.energy - 0.5)),
        decay=0.03 + 0.05 * reacts,
        decay_above=DECAY_ABOVE,
        decay_below=DECAY_BELOW,
        scale_pleasant=pleasant,
        scale_unpleasant=pleasant * (0.30 + 0.70 * axes.vulnerability),
        lowest=Affect(-0.5 - 0.5 * axes.vulnerability, LOWEST_AROUSAL),
        highest=Affect(HIGHEST_VALENCE, 0.5 + 0.4 * axes.energy),
        noise=0.05 * (1 - axes.predictability),
        idle_magnitude=0.05 + 0.35 * axes.energy,
        whims=axes.initiative / WHIM_EVERY_S,
    )
