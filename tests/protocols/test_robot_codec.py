"""The native robot wire: round trips and refusals."""

import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import qos
from protocols.codecs.robot import (
    MAX_MEDIA_BYTES,
    MAX_PICTURE_BYTES,
    MAX_TEXT_BYTES,
    decode_from_robot,
    decode_media,
    decode_to_robot,
    encode_media,
    encode_text,
)
from protocols.errors import (
    BadAudio,
    FrameTooLarge,
    MalformedFrame,
    PictureTooLarge,
    ProtocolError,
)
from protocols.messages.robot import (
    CameraPicture,
    Codec,
    FromRobot,
    MediaFrame,
    MicFrame,
    SpeechFrame,
    Text,
    ToRobot,
)
from tests.protocols.strategies import structs

from_robot = st.one_of(*map(structs, typing.get_args(FromRobot)))
to_robot = st.one_of(*map(structs, typing.get_args(ToRobot)))
media = st.one_of(*map(structs, typing.get_args(MediaFrame)))


@given(from_robot)
def test_what_a_robot_says_comes_back_as_it_was_said(message: FromRobot) -> None:
    assert decode_from_robot(encode_text(message)) == message


@given(to_robot)
def test_what_the_hub_says_comes_back_as_it_was_said(message: ToRobot) -> None:
    assert decode_to_robot(encode_text(message)) == message


@given(to_robot)
def test_control_is_plain_json_with_a_type(message: ToRobot) -> None:
    assert isinstance(json.loads(encode_text(message))["type"], str)


@given(media, st.binary(max_size=64))
def test_media_comes_back_with_its_bytes(header: MediaFrame, payload: bytes) -> None:
    if not isinstance(header, CameraPicture) and header.codec is Codec.PCM:
        payload += payload
    assert decode_media(encode_media(header, payload)) == (header, payload)


@given(st.binary(max_size=100))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for decode in (decode_from_robot, decode_to_robot, decode_media):
        try:
            decode(data)
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"type": "sing"}',
        '{"type": "text"}',
        '{"type": "text", "text": 7}',
        '{"type": "played", "epoch": 1, "turn": "2", "samples": 3}',
        "[" * 5000,
        b"\xff\xfe",
    ],
)
def test_text_that_is_no_message_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedFrame):
        decode_from_robot(text)


def test_the_hubs_words_are_not_a_robots() -> None:
    with pytest.raises(MalformedFrame):
        decode_from_robot('{"type": "flush", "epoch": 1, "turn": 2}')


def test_unknown_fields_are_ignored() -> None:
    assert decode_from_robot('{"type": "text", "text": "hi", "mood": 3}') == Text(text="hi")


def test_frames_above_the_limit_are_refused() -> None:
    with pytest.raises(FrameTooLarge):
        decode_from_robot(" " * (MAX_TEXT_BYTES + 1))
    with pytest.raises(FrameTooLarge):
        decode_media(bytes(MAX_MEDIA_BYTES + 1))


@pytest.mark.parametrize("size", [0, 1, 2, 10])
def test_media_cut_inside_its_header_is_refused(size: int) -> None:
    frame = encode_media(MicFrame(first_sample=2**40), bytes(2))
    with pytest.raises(MalformedFrame):
        decode_media(frame[:size])


def test_half_a_sample_of_pcm_is_bad_audio_and_of_opus_is_not() -> None:
    header = SpeechFrame(epoch=1, turn=1, first_sample=0, samples=1)
    with pytest.raises(BadAudio):
        decode_media(encode_media(header, bytes(3)))
    opus = MicFrame(first_sample=0, codec=Codec.OPUS)
    assert decode_media(encode_media(opus, bytes(3))) == (opus, bytes(3))


PICTURE = CameraPicture(t_ns=5, width=640, height=480)


def test_a_picture_may_have_more_bytes_than_sound_and_no_more_than_the_bus_takes() -> None:
    largest = bytes(MAX_PICTURE_BYTES)
    frame = encode_media(PICTURE, largest)
    assert MAX_MEDIA_BYTES < len(frame) <= qos.MAX_MEDIA_BYTES
    assert decode_media(frame) == (PICTURE, largest)
    with pytest.raises(PictureTooLarge):
        decode_media(encode_media(PICTURE, bytes(MAX_PICTURE_BYTES + 1)))


def test_sound_of_a_pictures_size_is_still_too_large() -> None:
    with pytest.raises(FrameTooLarge):
        decode_media(encode_media(MicFrame(first_sample=0), bytes(MAX_MEDIA_BYTES)))


@given(st.integers(-(2**63), 2**64 - 1), st.binary(max_size=64))
def test_a_picture_of_any_moment_comes_back_whole(t_ns: int, jpeg: bytes) -> None:
    header = CameraPicture(t_ns=t_ns, width=1, height=1)
    assert decode_media(encode_media(header, jpeg)) == (header, jpeg)
