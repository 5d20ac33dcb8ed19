"""The one place where the hub's package names the simulator's: by strings."""

import importlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

ENTRIES: Mapping[str, str] = {
    "demo_options": "robot_sim.demo_options:DemoOptions",
    "demo": "robot_sim.demo:run_demo",
    "load_order": "robot_sim.load.order:LoadOrder",
    "load": "robot_sim.load.command:run_order",
}


def entry(name: str) -> Any:
    """The object that a line of ``ENTRIES`` names."""
    module, _, attribute = ENTRIES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def recording(name: str) -> Path:
    """The file of somebody's words that the demo speaks: 16 kHz mono WAV."""
    return Path(str(files("robot_sim"))) / "scenarios" / "recordings" / name
