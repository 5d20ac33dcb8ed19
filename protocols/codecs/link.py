"""The control link between a peer and the hub: ``[link frame][topic][header]…``.

The link frame says what the message is; facts, commands and the hub's hello bring the two frames
of a bus message (control messages have no blob), an answer brings any number of such pairs.
"""

import msgspec

from protocols.envelope import WIRE_VERSION
from protocols.errors import MalformedFrame, UnknownVersion


class _Frame(msgspec.Struct, array_like=True, tag_field="t", gc=False):
    pass


# peer → hub


class Register(_Frame, tag="register"):
    """First frame of a link. ``incarnation`` is a number of this process: another one under the
    same name counts its messages anew. An observer brings no hello and takes no commands."""

    name: str
    incarnation: int
    observer: bool = False
    v: int = WIRE_VERSION


class Fact(_Frame, tag="fact"):
    """A fact, numbered from 1 on this link."""

    seq: int


class Ask(_Frame, tag="ask"):
    """Request the facts of a robot after ``(boot, after)``, or its snapshot if ``after`` is -1."""

    id: int
    robot: str
    boot: int = 0
    after: int = -1


class Bye(_Frame, tag="bye"):
    """The peer leaves."""


# hub → peer


class Registered(_Frame, tag="registered"):
    """The hub knows the peer; now both sides probe the lossy lanes."""

    boot: int


class Joined(_Frame, tag="joined"):
    """All lanes are open both ways."""


class Command(_Frame, tag="command"):
    """A command, numbered from 1 on this link."""

    seq: int


class Answer(_Frame, tag="answer"):
    """What was asked; ``held`` is False if the ring does not reach back that far."""

    id: int
    held: bool
    boot: int
    order: int


class Rejected(_Frame, tag="rejected"):
    """The hub has given this link up; register again."""

    reason: str


# both ways


class Ack(_Frame, tag="ack"):
    """Everything numbered up to ``seq`` has arrived."""

    seq: int


class Beat(_Frame, tag="beat"):
    """Still here."""


class Seen(_Frame, tag="seen"):
    """The other side's probes have come through."""


LinkFrame = (
    Register | Fact | Ask | Bye | Registered | Joined | Command | Answer | Rejected | Ack | Beat
    | Seen
)  # fmt: skip

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(LinkFrame)

PROBE_UP = b"~up/"
"""Topic prefix of a peer's probes on the media lane, followed by its link's routing id. ``~``
sorts after every topic, so a probe's subscription is passed on after those before it."""
PROBE_DOWN = b"~down/"
"""The hub's probes on the media lane and on the lane of facts."""
TAILS = b"~tails/"
"""On the lane of facts: msgpack ``[boot, {robot: order}]`` of robots that had facts since the
last one, so that the loss of a robot's last fact is noticed too."""

_tails_decoder = msgspec.msgpack.Decoder(tuple[int, dict[str, int]])


def encode_link(frame: LinkFrame) -> bytes:
    return _encoder.encode(frame)


def decode_link(data: bytes) -> LinkFrame:
    """A link frame.

    Raises:
        MalformedFrame: it is none.
        UnknownVersion: a registration of another wire version.
    """
    try:
        frame: LinkFrame = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrame(f"link frame: {error}") from error
    if isinstance(frame, Register) and frame.v != WIRE_VERSION:
        raise UnknownVersion(f"link of wire version {frame.v}, this build speaks {WIRE_VERSION}")
    return frame


def encode_tails(boot: int, orders: dict[str, int]) -> bytes:
    return _encoder.encode((boot, orders))


def decode_tails(data: bytes) -> tuple[int, dict[str, int]]:
    """Boot and last order per robot.

    Raises:
        MalformedFrame: it is no tails frame.
    """
    try:
        return _tails_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrame(f"tails: {error}") from error
