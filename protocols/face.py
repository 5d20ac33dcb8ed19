"""The face protocol: what a host tells the display of a face over serial, and what that tells it.

Commands are latched, the last value wins; gestures queue. Nothing is acknowledged but the version.
How they are written is in ``protocols/codecs/face.py``, the frames around them in
``protocols/codecs/serial.py``.
"""

from enum import IntEnum, IntFlag
from typing import NamedTuple

from protocols.errors import ProtocolError

BAUD = 115_200
SCREEN_WIDTH, SCREEN_HEIGHT = 320, 240
"""Pixels; touches are in them."""
TALKING_STOPS_MS = 450
"""The mouth closes by itself this long after the last ``SET_TALKING``."""
DEFAULT_BRIGHTNESS = 200
NO_GESTURE = 0xFF

MOODS = (
    "neutral", "happy", "excited", "curious", "sad", "scared", "angry",
    "surprised", "sleepy", "love", "silly", "thinking", "confused",
)  # fmt: skip
"""By their ids, from 0."""
GESTURES = (
    "blink", "wink_l", "wink_r", "confused", "laugh", "surprise", "heart",
    "x_eyes", "sleepy", "rage", "nod", "headshake", "wiggle",
)  # fmt: skip
"""By their ids, from 0."""


class Command(IntEnum):
    """Host → face."""

    TIME_SYNC = 0x06
    SET_VERSION = 0x07
    SET_STATE = 0x20
    GESTURE = 0x21
    SET_SYSTEM = 0x22
    SET_TALKING = 0x23
    SET_FLAGS = 0x24
    SET_CONVERSATION = 0x25


class Telemetry(IntEnum):
    """Face → host."""

    TIME_SYNC = 0x86
    VERSION = 0x87
    STATUS = 0x90
    TOUCH = 0x91
    BUTTON = 0x92
    HEARTBEAT = 0x93


class System(IntEnum):
    """Screens that the system puts over the face."""

    NONE = 0
    BOOTING = 1
    ERROR = 2
    LOW_BATTERY = 3
    UPDATING = 4
    SHUTTING_DOWN = 5


class Flags(IntFlag):
    """How the face is drawn."""

    IDLE_WANDER = 1
    AUTOBLINK = 2
    SOLID_EYE = 4
    SHOW_MOUTH = 8
    EDGE_GLOW = 16
    SPARKLE = 32
    AFTERGLOW = 64


ALL_FLAGS = Flags(0x7F)


class Touched(IntEnum):
    PRESS = 0
    RELEASE = 1
    DRAG = 2


class Button(IntEnum):
    PTT = 0
    ACTION = 1


class Pressed(IntEnum):
    PRESS = 0
    RELEASE = 1
    TOGGLE = 2
    CLICK = 3


class UnknownLayout(ProtocolError):
    """A payload that has the length of no firmware that is known."""

    code = "unknown_layout"


# host → face


class TimeSync(NamedTuple):
    """Asks for the face's clock."""

    ping: int


class SetVersion(NamedTuple):
    """Asks to speak a version from now on; always in an envelope of version 1."""

    version: int


class SetState(NamedTuple):
    """The mood and where the eyes look. ``intensity`` and ``brightness`` 0 to 255; ``gaze_x`` to
    the right and ``gaze_y`` down, -127 to 127."""

    mood: int
    intensity: int = 255
    gaze_x: int = 0
    gaze_y: int = 0
    brightness: int = DEFAULT_BRIGHTNESS


class ShowGesture(NamedTuple):
    """Queue a gesture; 0 ms is as long as it usually takes."""

    gesture: int
    duration_ms: int = 0


class SetSystem(NamedTuple):
    """Put a screen of the system over the face; ``param`` is its level (battery, progress)."""

    mode: int
    param: int = 0
    phase: int = 0


class SetTalking(NamedTuple):
    """Move the mouth; ``energy`` 0 to 255. Has to be repeated: see ``TALKING_STOPS_MS``."""

    talking: bool
    energy: int = 0


class SetFlags(NamedTuple):
    flags: int = ALL_FLAGS


class SetConversation(NamedTuple):
    """What the conversation is at, by its number (``protocols/messages/face.py``)."""

    state: int


FaceCommand = (
    TimeSync | SetVersion | SetState | ShowGesture | SetSystem | SetTalking | SetFlags
    | SetConversation
)  # fmt: skip


# face → host


class ClockAnswer(NamedTuple):
    """The face's clock when it answered ``ping``, in microseconds."""

    ping: int
    t_src_us: int


class VersionAnswer(NamedTuple):
    """The version that the face speaks from now on."""

    version: int


class Status(NamedTuple):
    """Twenty times a second. Version 2 adds the last command that was applied (-1: unknown) and
    when, in microseconds that wrap after 71 minutes."""

    mood: int
    gesture: int
    system: int
    touched: bool
    talking: bool
    listening: bool
    applied_seq: int = -1
    applied_us: int = 0


class Touch(NamedTuple):
    """A finger on the screen, in pixels."""

    kind: int
    x: int
    y: int


class ButtonPress(NamedTuple):
    """A button, which is a place on the screen. ``latched`` is the state of push-to-talk."""

    button: int
    kind: int
    latched: bool


class Heartbeat(NamedTuple):
    """Once a second. ``uptime_ms`` falls when the face has started anew; ``listening`` is its own
    latch of push-to-talk, None where its firmware does not tell."""

    uptime_ms: int
    status_sent: int
    touches_sent: int
    buttons_sent: int
    listening: bool | None = None
    frame_avg_us: int | None = None


FaceTelemetry = ClockAnswer | VersionAnswer | Status | Touch | ButtonPress | Heartbeat
