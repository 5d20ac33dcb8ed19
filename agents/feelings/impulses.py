"""What moves a robot's affect without a model: things that happen to it. Pure."""

from enum import StrEnum
from math import hypot
from typing import NamedTuple

from agents.feelings.temperament import Affect, Temperament


class Impulse(NamedTuple):
    """A push towards a place in the plane of affect, at most ``magnitude`` far."""

    target: Affect
    magnitude: float


class Cause(StrEnum):
    """Things that happen."""

    BOOT = "boot"
    LOW_BATTERY = "low_battery"
    CRITICAL_BATTERY = "critical_battery"
    FAULT_RAISED = "fault_raised"
    FAULT_CLEARED = "fault_cleared"
    CONVERSATION_STARTED = "conversation_started"
    CONVERSATION_ENDED_WELL = "conversation_ended_well"
    CONVERSATION_ENDED_BADLY = "conversation_ended_badly"
    SPEECH = "speech"
    BUTTON = "button"
    DROWSY = "drowsy"
    ASLEEP = "asleep"
    WAKE_WORD = "wake_word"


class Rule(NamedTuple):
    """The impulse of a cause, and for how many seconds it has none after it had one."""

    impulse: Impulse
    cooldown_s: float = 0.0


ONCE = float("inf")

RULES = {
    Cause.BOOT: Rule(Impulse(Affect(0.35, 0.40), 0.50), ONCE),
    Cause.LOW_BATTERY: Rule(Impulse(Affect(-0.15, 0.10), 0.30), 120),
    Cause.CRITICAL_BATTERY: Rule(Impulse(Affect(0.05, -0.60), 0.40)),
    Cause.FAULT_RAISED: Rule(Impulse(Affect(-0.10, 0.25), 0.40), 30),
    Cause.FAULT_CLEARED: Rule(Impulse(Affect(0.15, -0.10), 0.30)),
    Cause.CONVERSATION_STARTED: Rule(Impulse(Affect(0.10, 0.15), 0.30)),
    Cause.CONVERSATION_ENDED_WELL: Rule(Impulse(Affect(0.20, -0.05), 0.40)),
    Cause.CONVERSATION_ENDED_BADLY: Rule(Impulse(Affect(0.05, -0.10), 0.30)),
    Cause.SPEECH: Rule(Impulse(Affect(0.05, 0.10), 0.20), 5),
    Cause.BUTTON: Rule(Impulse(Affect(0.15, 0.20), 0.40), 5),
    Cause.DROWSY: Rule(Impulse(Affect(0.00, -0.15), 0.30), 600),
    Cause.ASLEEP: Rule(Impulse(Affect(0.00, -0.30), 0.40), 1_800),
    Cause.WAKE_WORD: Rule(Impulse(Affect(0.10, 0.15), 0.25), 10),
}


REASONS = {
    Cause.BOOT: "it has just woken",
    Cause.LOW_BATTERY: "its battery is low",
    Cause.CRITICAL_BATTERY: "its battery is almost empty",
    Cause.FAULT_RAISED: "something is wrong with its body",
    Cause.FAULT_CLEARED: "its body is well again",
    Cause.CONVERSATION_STARTED: "somebody talks with it",
    Cause.CONVERSATION_ENDED_WELL: "the conversation is over",
    Cause.CONVERSATION_ENDED_BADLY: "the conversation was cut short",
    Cause.SPEECH: "somebody speaks",
    Cause.BUTTON: "its button was pressed",
    Cause.DROWSY: "nobody has come for a while",
    Cause.ASLEEP: "nobody has come for long",
    Cause.WAKE_WORD: "it was called",
}
"""Why a mood has changed, for people."""


def pushed(affect: Affect, impulse: Impulse, nature: Temperament) -> Affect:
    """``affect`` after an impulse: towards its target, and never beyond it."""
    right, up = impulse.target.valence - affect.valence, impulse.target.arousal - affect.arousal
    distance = hypot(right, up)
    if distance == 0:
        return affect
    scale = nature.scale_unpleasant if right < 0 else nature.scale_pleasant
    share = min(impulse.magnitude * scale, distance) / distance
    return Affect(affect.valence + right * share, affect.arousal + up * share)
