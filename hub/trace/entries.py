"""What a trace consists of: one ordered stream of what the hub process saw and did.

``n`` numbers the entries of a run of the hub from 1, ``t_ns`` is the hub's monotonic clock. ``by``
is the entry that the hub was acting on when it made this one, 0 if it was a timer or a program;
``cause`` is the envelope's, by which an agent names the command it works for. A connection's
entries bear the identity of the connection, not of what is sent on it.
"""

from typing import TYPE_CHECKING, Union

import msgspec

from protocols.envelope import Message
from protocols.messages.robot import FromRobot, ToRobot
from protocols.messages.trace import TraceBatch
from protocols.topics import CATALOG

if TYPE_CHECKING:
    Body = Message
else:
    Body = Union[tuple(t.message for t in CATALOG.values() if t.message is not TraceBatch)]  # noqa: UP007


class Entry(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", gc=False
):
    """Base of all entries."""

    n: int
    t_ns: int
    by: int = 0


class Started(Entry, frozen=True, kw_only=True, tag="hub.started"):
    """A run of the hub begins. ``words`` if recording is on."""

    boot: int
    hub_id: str = ""
    version: str = ""
    words: bool = False


class Stopped(Entry, frozen=True, kw_only=True, tag="hub.stopped"):
    """The hub ends in order: nothing is under way any more."""


class Opened(Entry, frozen=True, kw_only=True, tag="connection.opened"):
    """A connection owns its robot from now on. ``connection`` numbers them in a run of the hub,
    ``rate_hz`` is that of the speech it is sent."""

    robot: str
    epoch: int
    connection: int
    session: str = ""
    resumed: bool = False
    client: str = ""
    rate_hz: int = 16_000


class Closed(Entry, frozen=True, kw_only=True, tag="connection.closed"):
    """A connection is owner no longer: closed by the hub, or gone."""

    robot: str
    epoch: int
    connection: int
    code: int = 0
    reason: str = ""


class Fact(Entry, frozen=True, kw_only=True, tag="fact"):
    """A control fact as the hub accepted it: the envelope's header, and its body without words."""

    topic: str
    body: Body
    robot: str = ""
    session: str = ""
    epoch: int = 0
    turn: int = 0
    job: int = 0
    src: str = ""
    id: int = 0
    cause: int = 0
    seq: int = 0
    boot: int = 0
    order: int = 0
    t_src_ns: int = 0
    t_hub_ns: int = 0
    ttl_ms: int = 0


class Command(Entry, frozen=True, kw_only=True, tag="command"):
    """A command that was sent to the instance ``peer``."""

    topic: str
    body: Body
    peer: str
    robot: str = ""
    session: str = ""
    epoch: int = 0
    turn: int = 0
    job: int = 0
    id: int = 0
    cause: int = 0
    ttl_ms: int = 0


class Told(Entry, frozen=True, kw_only=True, tag="told"):
    """A control message that was sent on a robot's connection."""

    robot: str
    epoch: int
    connection: int
    body: ToRobot


class Said(Entry, frozen=True, kw_only=True, tag="said"):
    """A control message that came on a robot's connection."""

    robot: str
    epoch: int
    connection: int
    body: FromRobot


class SpeechOut(Entry, frozen=True, kw_only=True, tag="speech.out"):
    """Samples of a response that were sent on a robot's connection, at its ``rate_hz``.
    ``frame_epoch``, ``turn`` and ``energy`` are the frame's own; ``pcm`` is there only when recording
    is on."""

    robot: str
    epoch: int
    connection: int
    frame_epoch: int
    turn: int
    first_sample: int
    samples: int
    rate_hz: int = 16_000
    energy: int = 0
    pcm: bytes = b""


class SpeechIn(Entry, frozen=True, kw_only=True, tag="speech.in"):
    """Samples of a response that came from tts."""

    robot: str
    turn: int
    src: str
    first_sample: int
    samples: int
    job: int = 0


class MicIn(Entry, frozen=True, kw_only=True, tag="mic.in"):
    """Microphone samples that came on a robot's connection."""

    robot: str
    epoch: int
    connection: int
    first_sample: int
    samples: int
    pcm: bytes = b""


class Depth(Entry, frozen=True, kw_only=True, tag="depth"):
    """How much waits in a bounded queue of the hub; ``owner`` is a robot or a peer."""

    queue: str
    depth: int
    bound: int
    owner: str = ""


class Lost(Entry, frozen=True, kw_only=True, tag="lost"):
    """What the tap threw away because its recorder did not keep up."""

    count: int


AnyEntry = (
    Started | Stopped | Opened | Closed | Fact | Command | Told | Said | SpeechOut | SpeechIn
    | MicIn | Depth | Lost
)  # fmt: skip

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(AnyEntry)


def encode_entry(entry: Entry) -> bytes:
    """An entry as it is stored."""
    return _encode(entry)


def decode_entry(data: bytes) -> AnyEntry:
    """A stored entry.

    Raises:
        msgspec.DecodeError: it is none that this build knows.
    """
    entry: AnyEntry = _decoder.decode(data)
    return entry


def robot_of(entry: Entry) -> str:
    """The robot that an entry is about, ``""`` if it is none."""
    return getattr(entry, "robot", "")
