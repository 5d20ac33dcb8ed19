"""The bus wire: ``[topic][header][blob]``.

The header is the envelope with the message inside, one map-shaped msgpack struct, so that it can
grow fields and be read in a recording. Unknown fields are ignored, unknown topics skipped by the
reader, unknown versions refused.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from protocols.envelope import WIRE_VERSION, AnyEnvelope, Envelope, Message
from protocols.errors import FrameTooLarge, MalformedFrame, UnknownVersion
from protocols.qos import MAX_CONTROL_BYTES, MAX_MEDIA_BYTES, Lane
from protocols.topics import CATALOG, Topic, parse_topic, wire_topic

_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[type[Message], Callable[[bytes], Any]] = {
    topic.message: msgspec.msgpack.Decoder(Envelope[topic.message]).decode  # type: ignore[name-defined]
    for topic in CATALOG.values()
}

_cached_wire_topic = lru_cache(maxsize=16_384)(wire_topic)
_cached_parse_topic = lru_cache(maxsize=16_384)(parse_topic)

MAX_BYTES = {Lane.MEDIA: MAX_MEDIA_BYTES, Lane.CONTROL: MAX_CONTROL_BYTES}


def encode(envelope: AnyEnvelope, blob: bytes = b"") -> tuple[bytes, bytes, bytes]:
    """The three frames of a message. Whoever sends them checks the limit of the lane."""
    topic = _cached_wire_topic(type(envelope.body), envelope.robot)
    return topic, encode_header(envelope), blob


def encode_header(envelope: AnyEnvelope) -> bytes:
    """The header frame alone."""
    return _encode(envelope)


def decode(topic: bytes, header: bytes, blob_bytes: int = 0) -> tuple[Topic, AnyEnvelope]:
    """Catalog line and envelope of a message whose blob has ``blob_bytes`` bytes.

    The robot of the topic frame and of the header must agree: whoever routes by topic must not be
    led past a check of the header.

    Raises:
        UnknownTopic: the catalog has no such topic.
        FrameTooLarge: the message exceeds the limit of its lane.
        UnknownVersion: the header is of another wire version.
        MalformedFrame: the header is not what the topic demands.
    """
    line, robot = _cached_parse_topic(topic)
    if len(header) + blob_bytes > MAX_BYTES[line.lane]:
        raise FrameTooLarge(
            f"{topic.decode('ascii', 'replace')} has {len(header) + blob_bytes} bytes, "
            f"its lane allows {MAX_BYTES[line.lane]}"
        )
    try:
        envelope: AnyEnvelope = _decoders[line.message](header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(topic, header, error) from error
    if envelope.v != WIRE_VERSION:
        raise UnknownVersion(f"wire version {envelope.v}, this build speaks {WIRE_VERSION}")
    if envelope.robot != robot:
        raise MalformedFrame(f"topic names robot {robot!r}, header {envelope.robot!r}")
    return line, envelope


class _Version(msgspec.Struct):
    v: int = WIRE_VERSION


def _refusal(topic: bytes, header: bytes, error: Exception) -> Exception:
    """A header of another version may not fit our types: name the version, not the misfit."""
    try:
        version = msgspec.msgpack.decode(header, type=_Version).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        version = WIRE_VERSION
    if version != WIRE_VERSION:
        return UnknownVersion(f"wire version {version}, this build speaks {WIRE_VERSION}")
    return MalformedFrame(f"{topic[:96].decode('ascii', 'replace')}: {error}")
