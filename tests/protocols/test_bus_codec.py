"""The bus wire: round trips, tolerance towards the future, refusals."""

import typing
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codecs.bus import decode, encode
from protocols.codecs.link import LinkFrame, decode_link, encode_link
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import (
    FrameTooLarge,
    MalformedFrame,
    ProtocolError,
    UnknownTopic,
    UnknownVersion,
)
from protocols.messages.audio import MicChunk
from protocols.qos import MAX_CONTROL_BYTES, MAX_MEDIA_BYTES
from protocols.topics import CATALOG, parse_topic, topic_name, wire_topic
from tests.protocols.strategies import envelopes, messages, robots, structs

TOPIC = b"mic.chunk/robot1/"


def header(**fields: Any) -> bytes:
    """A header as a foreign client would write it."""
    body = {"type": "mic.chunk", "first_sample": 3}
    packed: bytes = msgpack.packb({"robot": "robot1", "body": body, **fields})
    return packed


@given(envelopes(), st.binary(max_size=64))
def test_every_message_comes_back_as_it_was_sent(envelope: AnyEnvelope, blob: bytes) -> None:
    topic, packed, raw = encode(envelope, blob)
    line, back = decode(topic, packed, len(raw))
    assert back == envelope
    assert line.message is type(envelope.body)
    assert raw == blob


@given(envelopes())
def test_the_header_is_a_map_that_any_msgpack_reader_can_read(envelope: AnyEnvelope) -> None:
    fields = msgpack.unpackb(encode(envelope)[1])
    assert fields["body"]["type"] == topic_name(type(envelope.body))
    assert fields.get("robot", "") == envelope.robot
    assert fields.get("turn", 0) == envelope.turn


@given(st.sampled_from(sorted(CATALOG)), robots)
def test_topics_name_their_class_and_robot(name: str, robot: str) -> None:
    topic = wire_topic(CATALOG[name].message, robot)
    assert parse_topic(topic) == (CATALOG[name], robot)
    assert topic == f"{name}/{robot}/".encode()


@given(robots, robots)
def test_no_robots_topic_is_a_prefix_of_anothers(one: str, other: str) -> None:
    if one != other:
        assert not wire_topic(MicChunk, other).startswith(wire_topic(MicChunk, one))


@given(st.binary(max_size=80), st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(topic: bytes, packed: bytes) -> None:
    for first in (topic, TOPIC):
        try:
            decode(first, packed)
        except ProtocolError:
            continue


@given(envelopes(), st.data())
def test_a_header_cut_short_is_refused(envelope: AnyEnvelope, data: st.DataObject) -> None:
    topic, packed, _ = encode(envelope)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(MalformedFrame):
        decode(topic, packed[:cut])


def test_fields_from_the_future_are_ignored() -> None:
    body = {"type": "mic.chunk", "first_sample": 3, "mood": "blue"}
    _, envelope = decode(TOPIC, header(body=body, shoe_size=43))
    assert envelope.body == MicChunk(first_sample=3)


@pytest.mark.parametrize("topic", [b"mic.chuck/robot1/", b"mic.chunk/robot1", b"mic.chunk", b""])
def test_topics_outside_the_catalog_are_refused(topic: bytes) -> None:
    with pytest.raises(UnknownTopic):
        decode(topic, header())


@pytest.mark.parametrize("fields", [{"v": 2}, {"v": 2, "body": {"type": "mic.chunk"}}])
def test_another_version_is_named_even_if_its_types_do_not_fit(fields: dict[str, Any]) -> None:
    with pytest.raises(UnknownVersion):
        decode(TOPIC, header(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"robot": "robot10"},
        {"turn": "three"},
        {"body": {"type": "mic.chunk"}},
        {"body": {"type": "speech.chunk", "first_sample": 3}},
        {"body": {"type": "mic.chunk", "first_sample": "3"}},
        {"body": [3]},
    ],
)
def test_headers_that_do_not_fit_their_topic_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedFrame):
        decode(TOPIC, header(**fields))


def test_each_lane_has_its_limit() -> None:
    packed = header()
    decode(TOPIC, packed, MAX_MEDIA_BYTES - len(packed))
    with pytest.raises(FrameTooLarge):
        decode(TOPIC, packed, MAX_MEDIA_BYTES - len(packed) + 1)
    with pytest.raises(FrameTooLarge):
        decode(b"turn.cancel/robot1/", bytes(MAX_CONTROL_BYTES + 1))


@given(messages())
def test_messages_cannot_be_changed(message: Message) -> None:
    for field in message.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(message, field, None)


def test_every_message_may_come_without_its_optional_fields() -> None:
    for name, line in CATALOG.items():
        required = {f.name for f in msgspec.structs.fields(line.message) if f.required}
        if not required:
            bare = msgpack.packb({"robot": "robot1", "body": {"type": name}})
            assert decode(wire_topic(line.message, "robot1"), bare)[1].body == line.message()


@given(st.one_of(*map(structs, typing.get_args(LinkFrame))))
def test_link_frames_come_back_as_they_were_sent(frame: LinkFrame) -> None:
    try:
        assert decode_link(encode_link(frame)) == frame
    except UnknownVersion:
        assert getattr(frame, "v", 1) != 1


@given(st.binary(max_size=60))
def test_no_link_frame_does_more_than_be_refused(data: bytes) -> None:
    try:
        decode_link(data)
    except ProtocolError:
        return


def test_an_envelope_without_a_body_is_refused() -> None:
    with pytest.raises(MalformedFrame):
        decode(TOPIC, msgpack.packb({"robot": "robot1"}))
    assert Envelope(body=MicChunk(first_sample=0)).v == 1
