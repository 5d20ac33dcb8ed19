"""What of a robot's world is shown to people who watch it. Pure."""

import re
from collections.abc import Mapping
from typing import Any

_MODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def shown_body(world: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, those of its power, its mode where that is a name, and how many faults it has."""
    shown = _numbers(world)
    power, mode, faults = world.get("power"), world.get("mode"), world.get("faults")
    if isinstance(power, dict):
        shown["power"] = _numbers(power)
    if isinstance(mode, str) and _MODE.fullmatch(mode):
        shown["mode"] = mode
    if isinstance(faults, list | tuple):
        shown["faults"] = len(faults)
    return shown


def _numbers(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if isinstance(value, int | float)}
