"""What a ``/converse`` client may send, checked. Pure."""

import binascii
from typing import Any, NamedTuple

import msgspec

Json = dict[str, Any]


class Audio(NamedTuple):
    """Microphone audio, mono s16le 16 kHz."""

    pcm: bytes


class Say(NamedTuple):
    """The user typed."""

    text: str


class End(NamedTuple):
    """The utterance is over."""


class Stop(NamedTuple):
    """Cancel."""


class SetProfile(NamedTuple):
    """The personality's state."""

    profile: Json


class Fault(NamedTuple):
    """Nothing that this wire allows; ``message`` tells the client."""

    message: str


FromClient = Audio | Say | End | Stop | SetProfile | Fault


def parse(frame: str | bytes) -> FromClient | None:
    """What a client sent; None for what this wire ignores (unknown types, blank text)."""
    if isinstance(frame, bytes):
        return Fault("frames must be JSON text, not binary")
    try:
        message = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Fault("invalid JSON")
    if not isinstance(message, dict):
        return Fault("a message must be a JSON object")
    match message.get("type"):
        case "audio":
            return _parse_audio(message.get("data"))
        case "text":
            return _parse_text(message.get("text"))
        case "end_utterance":
            return End()
        case "cancel":
            return Stop()
        case "profile":
            profile = message.get("profile")
            return SetProfile(profile) if isinstance(profile, dict) else Fault("invalid profile")
        case _:
            return None


def _parse_audio(data: Any) -> FromClient:
    if not isinstance(data, str):
        return Fault("invalid audio data: base64 text expected")
    try:
        pcm = binascii.a2b_base64(data, strict_mode=True)
    except (binascii.Error, ValueError):
        return Fault("invalid audio data: broken base64")
    if len(pcm) % 2:
        return Fault("invalid audio data: odd number of bytes")
    return Audio(pcm)


def _parse_text(text: Any) -> FromClient | None:
    if not isinstance(text, str):
        return Fault("invalid text")
    return Say(text.strip()) if text.strip() else None
