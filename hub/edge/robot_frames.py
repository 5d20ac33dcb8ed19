"""What a robot may send, checked. Pure."""

from typing import get_args

import msgspec

from hub.edge.limits import MAX_TEXT_CHARS
from hub.edge.mic import MAX_SAMPLE
from hub.edge.opus import RATES_HZ
from hub.errors import BadRequest, TooLong
from protocols.codecs.robot import decode_from_robot
from protocols.errors import MalformedFrame, ProtocolError, UnknownVersion
from protocols.messages.robot import (
    ROBOT_WIRE_VERSION,
    Codec,
    FromRobot,
    Hello,
    MicFrame,
    Text,
)

SPEECH_RATES_HZ = (8_000, 48_000)

_TAGS = frozenset(kind.__struct_config__.tag for kind in get_args(FromRobot))


class UnknownMessage(ProtocolError):
    """A ``type`` that this build does not know: answered and counted, never punished."""

    code = "unknown_message"


class HelloExpected(ProtocolError):
    """The first frame is no ``hello``."""

    code = "hello_expected"


class UnexpectedFrame(ProtocolError):
    """A frame that is legal, but not now or not in this direction."""

    code = "unexpected_frame"


class _Head(msgspec.Struct):
    type: str = ""
    wire: int = ROBOT_WIRE_VERSION


def read_hello(frame: str | bytes) -> Hello:
    """The ``hello`` that a connection must begin with.

    Raises:
        UnknownVersion: it speaks another version of the wire.
        HelloExpected: it is something else.
        ProtocolError, BadRequest: as ``read_text``; or codec and rate do not go together.
    """
    if isinstance(frame, bytes):
        raise HelloExpected("the first frame must be a hello in JSON, not a binary frame")
    head = _head(frame)
    if head.type == "hello" and head.wire != ROBOT_WIRE_VERSION:
        raise UnknownVersion(f"wire version {head.wire}, this hub speaks {ROBOT_WIRE_VERSION}")
    hello = read_text(frame)
    if not isinstance(hello, Hello):
        raise HelloExpected(f"the first frame must be hello, not {head.type!r}")
    low, high = SPEECH_RATES_HZ
    if hello.codec is Codec.OPUS and hello.speech_rate_hz not in RATES_HZ:
        raise BadRequest(f"Opus has no rate of {hello.speech_rate_hz} Hz, only {sorted(RATES_HZ)}")
    if not low <= hello.speech_rate_hz <= high:
        raise BadRequest(f"speech_rate_hz is {low} to {high}, not {hello.speech_rate_hz}")
    return hello


def read_text(frame: str) -> FromRobot:
    """A control message.

    Raises:
        UnknownMessage, MalformedFrame, FrameTooLarge: as the codec, told apart by type.
        BadRequest: text that is blank, or longer than ``MAX_TEXT_CHARS``.
    """
    try:
        message = decode_from_robot(frame)
    except MalformedFrame:
        kind = _head(frame).type
        if kind and kind not in _TAGS:
            raise UnknownMessage(f"no message has the type {kind[:40]!r}") from None
        raise
    if isinstance(message, Text):
        check_text(message.text)
    return message


def check_text(text: str) -> None:
    """Raises:
    BadRequest: nothing but blanks.
    TooLong: longer than ``MAX_TEXT_CHARS``.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise TooLong(f"text has {len(text)} characters, {MAX_TEXT_CHARS} are allowed")
    if not text.strip():
        raise BadRequest("text is empty")


def check_mic(header: object) -> MicFrame:
    """Raises:
    UnexpectedFrame: the header is not a microphone's.
    MalformedFrame: its sample number is none.
    """
    if not isinstance(header, MicFrame):
        raise UnexpectedFrame("a robot sends mic and camera frames only")
    if not 0 <= header.first_sample < MAX_SAMPLE or header.playout_sample >= MAX_SAMPLE:
        raise MalformedFrame(f"first_sample {header.first_sample} is no sample number")
    return header


def _head(frame: str) -> _Head:
    try:
        return msgspec.json.decode(frame, type=_Head)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _Head()
