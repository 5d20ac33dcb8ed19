"""The robot's own clock: monotonic, and counting while the machine sleeps."""

import time
from collections.abc import Callable

JUMP_NS = 3_000_000_000
"""A robot that could not do a step for so long was suspended: to its parts, its clock has jumped."""


def _boot_clock() -> Callable[[], int]:
    boottime = getattr(time, "CLOCK_BOOTTIME", None)  # Linux alone has it
    if boottime is None:
        return time.monotonic_ns
    return lambda: time.clock_gettime_ns(boottime)


device_clock = _boot_clock()
"""Nanoseconds; the only clock of a robot, and the one of its ``pong``."""
