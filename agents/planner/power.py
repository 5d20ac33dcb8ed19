"""Power is the supervisor's business: a model is not told of it, and does not speak of it.

Pure. The supervisor has its own phrases for a low battery and says them when they are true; a model
that invents one would frighten a child for nothing.
"""

import re
from collections.abc import Sequence
from typing import Any

_EVENT = re.compile(r"(?<![a-z])(?:power|battery)(?![a-z])", re.IGNORECASE)
_SPOKEN = re.compile(
    r"\b(?:power(?:ed|ing)?|batt|batter\w*|batteri\w*|bater[ií]a\w*|akku\w*|accu"
    r"|(?:re)?charg(?:e|es|ed|er|ers|ing)|plug(?:ged)?(?: me)? in|low on (?:energy|juice))\b"
    r"|电池|电量|充电|電池|充電|батаре|заряд",
    re.IGNORECASE,
)


def is_about_power(event: str) -> bool:
    """Whether a trigger or an event (``power.low_soc_raised``) tells of the robot's power."""
    return bool(_EVENT.search(event))


def speaks_of_power(text: str) -> bool:
    """Whether words are about battery, power or charging. It rather takes one sentence too many."""
    return bool(_SPOKEN.search(text))


def without_power_talk(actions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """``actions`` less every ``say`` about power."""
    return [a for a in actions if a["action"] != "say" or not speaks_of_power(a["text"])]
