"""Quantiles of what was timed, and the verdict on a time."""

from collections.abc import Sequence

FAILS_AT = 2.0
"""Times move with the machine: one fails at so many times its goal, and has no verdict below it
unless it is reached."""


def quantile_ms(samples_ns: Sequence[int], quantile: float) -> float:
    """The nearest sample at ``quantile`` (0 to 1), in milliseconds; NaN if there is none."""
    if not samples_ns:
        return float("nan")
    return sorted(samples_ns)[round((len(samples_ns) - 1) * quantile)] / 1e6


def within(value: float, goal: float) -> bool | None:
    """Whether a time reached its goal; None if it missed it by less than ``FAILS_AT``."""
    if value <= goal:
        return True
    return None if value < FAILS_AT * goal else False
