"""The native robot wire: JSON text frames, and binary frames
``u16 little-endian header length · msgpack header · payload``."""

from typing import TypeVar

import msgspec

from protocols import qos
from protocols.errors import (
    BadAudio,
    FrameTooLarge,
    MalformedFrame,
    PictureTooLarge,
    ProtocolError,
)
from protocols.messages.robot import CameraPicture, Codec, FromRobot, MediaFrame, ToRobot

MAX_TEXT_BYTES = 64 * 1024
"""Largest JSON frame of the robot wire."""
MAX_MEDIA_BYTES = 256 * 1024
"""Largest binary frame with sound (8 s of 16 kHz PCM)."""
_MAX_HEADER_BYTES = 1024
MAX_PICTURE_BYTES = qos.MAX_MEDIA_BYTES - 2 * _MAX_HEADER_BYTES
"""Largest JPEG of a camera: with either wire's header it stays within the bus's 1 MiB."""

T = TypeVar("T")

_json = msgspec.json.Encoder()
_from_robot = msgspec.json.Decoder(FromRobot)
_to_robot = msgspec.json.Decoder(ToRobot)
_header = msgspec.msgpack.Encoder()
_media = msgspec.msgpack.Decoder(MediaFrame).decode


def encode_text(message: FromRobot | ToRobot) -> str:
    """A control message as JSON."""
    return _json.encode(message).decode()


def decode_from_robot(text: str | bytes) -> FromRobot:
    """What a robot sent.

    Raises:
        FrameTooLarge: above ``MAX_TEXT_BYTES``.
        MalformedFrame: no JSON, an unknown ``type`` or a field of the wrong type.
    """
    message: FromRobot = _decode_text(text, _from_robot)
    return message


def decode_to_robot(text: str | bytes) -> ToRobot:
    """What the hub sent; errors as in ``decode_from_robot``."""
    message: ToRobot = _decode_text(text, _to_robot)
    return message


def _decode_text(text: str | bytes, decoder: msgspec.json.Decoder[T]) -> T:
    if len(text) > MAX_TEXT_BYTES:
        raise FrameTooLarge(f"text frame of {len(text)} bytes, {MAX_TEXT_BYTES} allowed")
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrame(str(error)) from error


def encode_media(header: MediaFrame, payload: bytes) -> bytes:
    """A binary frame."""
    packed = _header.encode(header)
    return len(packed).to_bytes(2, "little") + packed + payload


def decode_media(frame: bytes) -> tuple[MediaFrame, bytes]:
    """Header and payload of a binary frame.

    Raises:
        PictureTooLarge: a camera's, above ``MAX_PICTURE_BYTES``.
        FrameTooLarge: any other, above ``MAX_MEDIA_BYTES``.
        MalformedFrame: the header is cut short, oversized or no media header.
        BadAudio: PCM of half a sample.
    """
    total = len(frame)
    begins = 2 + (frame[0] | frame[1] << 8) if total >= 2 else 2
    if begins > total or begins > 2 + _MAX_HEADER_BYTES:
        raise _refusal(frame, f"binary frame of {total} bytes cannot hold a header of {begins - 2}")
    try:
        header: MediaFrame = _media(frame[2:begins])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(frame, str(error)) from error
    payload = frame[begins:]
    if isinstance(header, CameraPicture):
        if len(payload) > MAX_PICTURE_BYTES:
            raise PictureTooLarge(f"picture of {len(payload)} bytes, {MAX_PICTURE_BYTES} allowed")
    elif total > MAX_MEDIA_BYTES:
        raise _refusal(frame, "")
    elif len(payload) % 2 and header.codec is Codec.PCM:
        raise BadAudio(f"{len(payload)} bytes are no whole number of 16-bit samples")
    return header, payload


def _refusal(frame: bytes, why: str) -> ProtocolError:
    """Of a frame that is no picture: its size goes before whatever else is wrong with it."""
    if len(frame) > MAX_MEDIA_BYTES:
        return FrameTooLarge(f"binary frame of {len(frame)} bytes, {MAX_MEDIA_BYTES} allowed")
    return MalformedFrame(why)
