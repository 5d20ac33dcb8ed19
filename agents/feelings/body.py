"""What the robot's body tells, and which of the causes of feelings that is. Pure."""

from dataclasses import dataclass, replace

from agents.feelings.impulses import Cause
from protocols.messages.affect import BodySensed

LOW_PCT, CRITICAL_PCT = 25, 10
RECOVERED_PCT = 5
"""A battery is low no more once it is so much above the mark."""

PRESSED = (
    "face.button.press", "face.button.click", "face.button.toggle", "face.touch.press", "button",
)  # fmt: skip
CALLED = ("wake", "attention.wake")
"""Beginnings of the names of events."""


@dataclass(frozen=True)
class Body:
    """What is known of it. ``low`` and ``critical`` stay until the battery is well above."""

    low: bool = False
    critical: bool = False
    faulty: bool = False
    events: tuple[str, ...] | None = None
    """None before the first word of it: what had happened by then is no news."""


def sensed(body: Body, told: BodySensed) -> tuple[Body, tuple[Cause, ...]]:
    """What is known after ``told``, and what has happened."""
    causes: list[Cause] = []
    low, critical = body.low, body.critical
    if told.battery_pct >= 0:
        low = _below(told.battery_pct, LOW_PCT, low)
        critical = _below(told.battery_pct, CRITICAL_PCT, critical)
    if critical and not body.critical:
        causes.append(Cause.CRITICAL_BATTERY)
    elif low and not body.low:
        causes.append(Cause.LOW_BATTERY)
    if told.faulty != body.faulty:
        causes.append(Cause.FAULT_RAISED if told.faulty else Cause.FAULT_CLEARED)
    if body.events is not None:
        for event in new_events(body.events, told.events):
            causes += [Cause.BUTTON] * event.startswith(PRESSED)
            causes += [Cause.WAKE_WORD] * event.startswith(CALLED)
    known = replace(body, low=low, critical=critical, faulty=told.faulty, events=told.events)
    return known, tuple(causes)


def _below(percent: int, mark: int, was: bool) -> bool:
    return percent <= mark or (was and percent < mark + RECOVERED_PCT)


def new_events(seen: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    """What ``now`` holds beyond ``seen``, both being ends of one growing list."""
    for known in range(min(len(seen), len(now)), 0, -1):
        if seen[-known:] == now[:known]:
            return now[known:]
    return now
