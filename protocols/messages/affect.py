"""What a robot feels, and what it is told that may move it.

The robot's affect is a point in the plane of valence (unpleasant to pleasant) and arousal (calm to
excited), each -1 to 1. A mood is what of it may be shown.
"""

from enum import StrEnum

from protocols.envelope import Message


class Idle(StrEnum):
    """How long nothing has happened."""

    AWAKE = "awake"
    DROWSY = "drowsy"
    ASLEEP = "asleep"


class Broken(StrEnum):
    """Guardrails that took hold."""

    SESSION_LIMIT = "session_time_limit"
    DAILY_LIMIT = "daily_time_limit"
    DAILY_BLOCKED = "daily_limit_blocked"
    REASON_REJECTED = "mood_reason_rejected"
    DURATION_CAP = "duration_cap"


# facts


class AffectState(Message, tag="affect.state"):
    """State: all that is told of a robot's feelings; once a second while somebody talks with it,
    else when it changes.

    ``layer`` says what moved it last: 0 its own senses, 1 a wish. ``session_time_s`` is the length
    of this conversation or of the last one, ``daily_time_s`` of all of today's.
    """

    mood: str
    intensity: float
    valence: float
    arousal: float
    layer: int = 0
    conversation_active: bool = False
    idle_state: Idle = Idle.AWAKE
    session_time_s: float = 0.0
    daily_time_s: float = 0.0
    session_limit_reached: bool = False
    daily_limit_reached: bool = False


class GuardrailHeld(Message, tag="guardrail.held"):
    """Fact: a guardrail took hold of what a robot feels, or of how long it may talk. ``detail`` is
    for people."""

    rule: Broken
    detail: str = ""


# orders to feelings


class AffectWish(Message, tag="affect.wish"):
    """Order: whoever answers for the robot in the envelope's turn would have it feel so. It is an
    impulse, never a command; the answer is an ``affect.changed`` of that turn.

    ``conversing``: the turn answers somebody, who is thus talking with the robot.
    """

    emotion: str
    intensity: float
    reason: str = ""
    conversing: bool = False


class AffectOverride(Message, tag="affect.override"):
    """Order: a person pushes the robot's affect by hand, at most ``magnitude`` far towards a place
    in the plane. Guardrails hold."""

    valence: float
    arousal: float
    magnitude: float


class AffectReset(Message, tag="affect.reset"):
    """Order: feel as after waking. What was talked today stays counted."""


class AffectBias(Message, tag="affect.bias"):
    """Order: what the robot's memories pull at, each weighed by its strength; -1 to 1."""

    valence: float
    arousal: float


class GuardrailSet(Message, tag="guardrail.set"):
    """Order: other guardrails, until the agent is started anew; what is None stays as it is.

    The first three switch one kind of guardrail on or off; limits are in seconds, 0: none, and hold
    for the session. ``usual_limits``: a limit that is None is that of every robot again.
    ``reset_daily``: what was talked today is forgiven.
    """

    negative_duration_caps: bool | None = None
    negative_intensity_caps: bool | None = None
    context_gate: bool | None = None
    session_time_limit_s: float | None = None
    daily_time_limit_s: float | None = None
    usual_limits: bool = False
    reset_daily: bool = False


class BodySensed(Message, tag="body.sensed"):
    """Order: what the robot's body is like now. ``battery_pct`` is -1 where it is not known;
    ``events`` are the latest things that happened to it, the oldest first."""

    battery_pct: int = -1
    faulty: bool = False
    events: tuple[str, ...] = ()
