"""Sessions of a robot and what its agents are told about them."""

from enum import StrEnum

import msgspec

from protocols.envelope import Message


class EchoCanceller(StrEnum):
    """Who removes the robot's own voice from its microphone (``aec`` of a connection)."""

    NONE = "none"
    DEVICE = "device"
    HUB = "hub"


class Attention(StrEnum):
    """When a robot listens at all."""

    OPEN = "open"
    PUSH_TO_TALK = "push_to_talk"
    WAKE_WORD = "wake_word"
    MUTED = "muted"


class Mute(StrEnum):
    """What keeps a robot from hearing anything."""

    OFF = "off"
    SOFTWARE = "software"
    """Somebody told the hub that it shall not listen."""
    HARDWARE = "hardware"
    """The switch of its microphone, by what the device says."""


class Endpointing(StrEnum):
    """Who decides that an utterance is over."""

    HUB = "hub"
    CLIENT = "client"


class Camera(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A robot's camera: its horizontal field of view, and the pixels of its pictures."""

    hfov_deg: float
    width: int
    height: int


class SessionAssign(Message, tag="session.assign"):
    """Order to ears, stt, vision or feelings: serve this session. Sound counts from capture sample
    ``first_sample`` on; ``awake`` is as in ``attention.set``; vision is told of the ``camera``, and
    only of sessions that have one."""

    language: str = "en"
    aec: EchoCanceller = EchoCanceller.NONE
    attention: Attention = Attention.OPEN
    awake: bool = False
    endpointing: Endpointing = Endpointing.HUB
    first_sample: int = 0
    camera: Camera | None = None


class SessionRelease(Message, tag="session.release"):
    """Order: this session is served no longer."""

    reason: str = ""


class AttentionSet(Message, tag="attention.set"):
    """Order to ears: listen so from now on. ``held`` is the push-to-talk button; feelings are told
    too.

    With a wake word it is heard while nobody is ``awake``, and everything that is said while
    somebody is. ``wake_sample`` is the end of the wake word that the hub knows of (-1: none): ears
    that have heard a later one do not fall asleep, and what is said after it is taken.
    """

    attention: Attention
    held: bool = False
    awake: bool = False
    wake_sample: int = -1


class AttentionChanged(Message, tag="attention.changed"):
    """State: how a robot listens. ``hearing`` is whether what is said now is taken; ``awake``, with a
    wake word, whether that is because it was called. ``unaddressed`` counts what was said in its
    hearing and not to it."""

    attention: Attention
    mute: Mute = Mute.OFF
    hearing: bool = True
    held: bool = False
    awake: bool = False
    unaddressed: int = 0


class SessionStarted(Message, tag="session.started"):
    """Fact: a robot is connected. ``resumed`` if its conversation goes on."""

    client: str = ""
    resumed: bool = False


class SessionEnded(Message, tag="session.ended"):
    """Fact: a connection is gone. ``code`` is its close code."""

    reason: str
    code: int = 0


class Presence(Message, tag="robot.presence"):
    """State: whether a robot is connected, and how."""

    connected: bool
    client: str = ""
    attention: Attention = Attention.OPEN
    aec: EchoCanceller = EchoCanceller.NONE


class ProfileChanged(Message, tag="profile.changed"):
    """State: what a robot's file says that it is, from its next turn on. With an ``error`` the file
    is not as it should be, and the robot is who it was."""

    name: str = ""
    language: str = ""
    voice: str = ""
    error: str = ""


class ClockMeasured(Message, tag="clock.measured"):
    """State: at the envelope's ``t_src_ns`` the robot's clock was ``offset_ns`` ahead of the hub's,
    ± ``error_ns``; the bound grows by ``drift_ppm`` of the time since."""

    offset_ns: int
    error_ns: int
    rtt_ns: int
    drift_ppm: int
