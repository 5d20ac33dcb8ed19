"""Quality of service as data: how much of each class may wait, and what happens beyond that."""

from enum import StrEnum
from typing import NamedTuple


class Lane(StrEnum):
    """Which sockets carry a topic. Control never queues behind media."""

    CONTROL = "control"
    MEDIA = "media"


class Overflow(StrEnum):
    """What happens when a class is at its bound; every case is counted and named."""

    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
    KEEP_LAST = "keep_last"
    CONFLATE = "conflate"
    DISCONNECT = "disconnect"
    CREDIT = "credit"


class LateJoiner(StrEnum):
    """What somebody who subscribes late is given of the past."""

    NOTHING = "nothing"
    REPLAY = "replay"
    SNAPSHOT = "snapshot"


class Qos(NamedTuple):
    """Bound per robot and behaviour at the bound. ``bound_bytes`` and ``bound_messages`` are 0
    where they do not bind."""

    overflow: Overflow
    late_joiner: LateJoiner
    bound_bytes: int = 0
    bound_messages: int = 0


class QosClass(StrEnum):
    MIC = "mic"
    SPEECH = "speech"
    CONTROL = "control"
    STATE = "state"
    TEXT = "text"
    FRAME = "frame"
    TELEMETRY = "telemetry"


class QueueDepth(NamedTuple):
    """How much waits in a bounded queue, in its own unit. ``owner`` is a robot or a peer."""

    queue: str
    owner: str
    depth: int
    bound: int


MIC_BOUND_MS = 2_000
SPEECH_AHEAD_MS = 4_000

QOS: dict[QosClass, Qos] = {
    QosClass.MIC: Qos(Overflow.DROP_OLDEST, LateJoiner.NOTHING, bound_bytes=MIC_BOUND_MS * 32),
    QosClass.SPEECH: Qos(Overflow.CREDIT, LateJoiner.NOTHING, bound_bytes=SPEECH_AHEAD_MS * 96),
    QosClass.CONTROL: Qos(Overflow.DISCONNECT, LateJoiner.REPLAY, bound_bytes=64 * 1024),
    QosClass.STATE: Qos(Overflow.KEEP_LAST, LateJoiner.SNAPSHOT, bound_messages=1),
    QosClass.TEXT: Qos(Overflow.CONFLATE, LateJoiner.REPLAY, bound_bytes=64 * 1024),
    QosClass.FRAME: Qos(Overflow.DROP_OLDEST, LateJoiner.NOTHING, bound_messages=2),
    QosClass.TELEMETRY: Qos(Overflow.DROP_NEWEST, LateJoiner.NOTHING, bound_bytes=32 * 1024),
}

MAX_MEDIA_BYTES = 1 << 20
"""Largest frame of the media lane (one second of 24 kHz speech is 48 kB)."""
MAX_CONTROL_BYTES = 256 * 1024
"""Largest frame of the control lane (a turn with its whole history stays far below)."""
