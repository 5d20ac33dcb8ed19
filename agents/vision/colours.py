"""Colours of balls as ranges of hue, and what a round spot of one is worth. Pure.

Hue, saturation and value are OpenCV's: 0 to 179, 0 to 255, 0 to 255.
"""

from collections.abc import Mapping, Sequence
from math import atan, degrees, pi, radians, tan
from typing import NamedTuple

from agents.runtime.errors import AgentError

MIN_RADIUS_PX = 4.0
MIN_CONFIDENCE = 0.3
_LEAST_ROUND = 0.62
"""Roundness at which a spot is no ball any more; a square has 0.5, a disc of pixels 0.9 and more."""
_FULLY_ROUND = 0.92


class HsvRange(NamedTuple):
    """Least and greatest hue of a colour; one that goes around the circle has two ranges."""

    hue_from: int
    hue_to: int
    saturation_from: int = 95
    value_from: int = 60


COLOURS: Mapping[str, tuple[HsvRange, ...]] = {
    "red": (HsvRange(0, 7), HsvRange(173, 179)),
    "orange": (HsvRange(8, 19),),
    "yellow": (HsvRange(20, 34),),
    "green": (HsvRange(35, 88, 70),),
    "blue": (HsvRange(89, 128),),
    "purple": (HsvRange(129, 154, 70),),
    "pink": (HsvRange(155, 172, 70),),
}


def known(colours: Sequence[str]) -> tuple[str, ...]:
    """``colours`` in lower case; all there are if it is empty.

    Raises:
        AgentError: ``unknown_colour``.
    """
    wanted = tuple(colour.strip().lower() for colour in colours) or tuple(COLOURS)
    for colour in wanted:
        if colour not in COLOURS:
            raise AgentError(f"{colour!r} is none of {', '.join(COLOURS)}", "unknown_colour")
    return wanted


def confidence(area: float, perimeter: float, radius: float, seen: float) -> float:
    """How much a spot is a ball (0 to 1): its circularity (4π·area/perimeter², by its hull) times how
    much of the circle around it is filled, times the share of the hull that has the colour."""
    if radius < MIN_RADIUS_PX or perimeter <= 0 or area <= 0:
        return 0.0
    circularity = min(1.0, 4 * pi * area / perimeter**2)
    fill = min(1.0, area / (pi * radius**2))
    roundness = (circularity * fill - _LEAST_ROUND) / (_FULLY_ROUND - _LEAST_ROUND)
    return max(0.0, min(1.0, roundness) * min(1.0, seen))


def bearing_deg(x: float, width: int, hfov_deg: float) -> float:
    """Angle from the axis of a pinhole camera, to the right positive:
    atan((x - w/2) / (w/2) · tan(hfov/2)); pixels are counted at their middles."""
    half = width / 2
    return degrees(atan((x + 0.5 - half) / half * tan(radians(hfov_deg) / 2)))
