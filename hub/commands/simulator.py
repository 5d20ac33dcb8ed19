"""The one place where the hub's package names the simulator's: by strings."""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

ENTRIES: Mapping[str, str] = {
    "demo_options": "robot_sim.demo_options:DemoOptions",
    "demo": "robot_sim.demo:run_demo",
    "load_order": "robot_sim.load.order:LoadOrder",
    "load": "robot_sim.load.command:run_order",
}
ROBOT = "robot_sim.pi"
"""The programs that run on a robot."""


def entry(name: str) -> Any:
    """The object that a line of ``ENTRIES`` names."""
    module, _, attribute = ENTRIES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def become(program: str, arguments: Sequence[str]) -> NoReturn:
    """Be one of the robot's own programs from now on, in this process: nothing of the hub stays in
    its memory."""
    os.execv(sys.executable, [sys.executable, "-m", ROBOT, program, *arguments])


def recording(name: str) -> Path:
    """The file of somebody's words that the demo speaks: 16 kHz mono WAV."""
    return Path(str(files("robot_sim"))) / "scenarios" / "recordings" / name
