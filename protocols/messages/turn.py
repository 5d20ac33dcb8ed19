"""A turn: one exchange, numbered by the hub per robot, the unit of work and of cancellation."""

from enum import StrEnum
from typing import Any

import msgspec

from protocols.envelope import Message


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A past turn as it was *heard*: what the user said and what the robot got to say."""

    turn: int
    user: str
    robot: str
    emotion: str = "neutral"
    interrupted: bool = False


class Outcome(StrEnum):
    """How a turn ended; every turn ends in exactly one."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    REOPENED = "reopened"
    FAILED = "failed"


class Priority(StrEnum):
    """The claim behind a turn, highest first; ``hub/session/preemption.py`` orders them."""

    SAFETY = "safety"
    USER = "user"
    PLAN = "plan"
    AMBIENT = "ambient"


class Unseen(StrEnum):
    """Why a turn that needs eyes has none."""

    NO_CAMERA = "no_camera"
    NO_FRAME = "no_frame"
    """The camera has sent nothing on this connection."""
    STALE_FRAME = "stale_frame"
    """Its newest picture is older than ``vision.STALE_FRAME_MS``, or may be."""
    NO_VISION_AGENT = "no_vision_agent"
    VISION_FAILED = "vision_failed"
    """Whoever was shown the picture could not say what is in it, or not in time."""


class Sight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the robot's camera showed when the user asked: ``text`` says what is in a picture that
    was ``age_ms`` old then, ± ``error_ms``; or ``missing`` says why there is no such text.

    ``by_arrival``: the robot's clock was not known, and the age counts from when the picture came.
    """

    text: str = ""
    age_ms: int = 0
    error_ms: int = 0
    by_arrival: bool = False
    missing: Unseen | None = None


class TurnStart(Message, tag="turn.start"):
    """Order to a planner (with ``user_text``) and to tts: this turn begins.

    It carries all an agent may know, so that agents hold no conversation state. ``sight`` is there
    if what the user said asks for eyes. ``name`` and ``persona`` are the robot's; ``may_use`` are
    the tools that it is let have of those it has, as ``server.tool`` or ``server.*``, None: all.
    """

    user_text: str
    history: tuple[Exchange, ...] = ()
    language: str = "en"
    emotions: tuple[str, ...] = ()
    gestures: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    profile: dict[str, Any] = {}
    world: dict[str, Any] = {}
    temperature: float | None = None
    max_output_tokens: int | None = None
    sight: Sight | None = None
    name: str = ""
    persona: str = ""
    may_use: tuple[str, ...] | None = None


class TurnCancel(Message, tag="turn.cancel"):
    """Order: everything of this robot at or below the envelope's ``(epoch, turn)`` is stale."""

    reason: str


class TurnStarted(Message, tag="turn.started"):
    """Fact: the hub began a turn."""

    priority: Priority
    user_text: str = ""
    reopens: int = 0


class TurnFailed(Message, tag="turn.failed"):
    """Fact from an agent: its part of the turn ended by an error."""

    code: str
    detail: str = ""


class Segment(msgspec.Struct, frozen=True):
    """One step of a turn's waterfall, in milliseconds."""

    name: str
    ms: float


class TurnEnded(Message, tag="turn.ended"):
    """The one terminal fact of a turn.

    ``heard_text`` is what the user got to hear of ``response_text``; ``segments`` add up to the
    time from the end of the user's speech to the first sample played. ``responder`` names the
    planner that answered and ``fallback`` says why it was not the chosen one.
    """

    outcome: Outcome
    code: str = ""
    user_text: str = ""
    response_text: str = ""
    heard_text: str = ""
    played_ms: int = 0
    segments: tuple[Segment, ...] = ()
    responder: str = ""
    fallback: str = ""
    orphaned_tools: tuple[str, ...] = ()


class TurnReopened(Message, tag="turn.reopened"):
    """Fact: the user went on before anything was audible; turn ``by`` carries the whole text."""

    by: int


class ResponseMeta(Message, tag="response.meta"):
    """What a response feels and does, known before its text. Planner → hub.

    ``intent`` names what the planner took the user to want, where it knows.
    """

    emotion: str = "neutral"
    intensity: float = 0.5
    gestures: tuple[str, ...] = ()
    mood_reason: str = ""
    intent: str = ""
    memory_tags: tuple[dict[str, str], ...] = ()


class ResponseDelta(Message, tag="response.delta"):
    """The next piece of a response's text."""

    text: str


class ResponseDone(Message, tag="response.done"):
    """The response's text is complete. ``actions`` are validated again by the hub."""

    finish_reason: str = "stop"
    actions: tuple[dict[str, Any], ...] = ()
    tokens: int = 0


class ToolPending(Message, tag="tool.pending"):
    """The planner called a tool whose effect may already be under way."""

    call: str
    name: str


class ToolDone(Message, tag="tool.done"):
    """A tool call came back; after its turn was cut, it is recorded as orphaned, never repeated."""

    call: str
    name: str
    ok: bool
    latency_ms: float = 0.0
    detail: str = ""
