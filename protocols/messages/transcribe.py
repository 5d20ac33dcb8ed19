"""Recordings on request: a whole recording in, its text out. A job of stt."""

import msgspec

from protocols.envelope import Message
from protocols.messages.blob import BlobRef


class WordTime(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A word of a recording, in milliseconds from its beginning; -1 confidence: unknown."""

    word: str
    start_ms: int
    end_ms: int
    confidence: float = -1.0


class TranscribeRequest(Message, tag="transcribe.request"):
    """Order: the text of a recording, mono s16le 16 kHz. ``language`` is ISO 639-1, empty to find
    out; ``prompt`` is text that precedes it or names what is spoken of; ``translate``: to English.

    Engines that cannot do one of these say so with a coded failure, and never leave it out.
    """

    audio: BlobRef
    language: str = ""
    prompt: str = ""
    temperature: float | None = None
    words: bool = False
    translate: bool = False


class TranscribeSegment(Message, tag="transcribe.segment"):
    """The next stretch of a recording. ``words`` where they were asked for."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[WordTime, ...] = ()
    confidence: float = -1.0
    no_speech: float = 0.0


class TranscribeDone(Message, tag="transcribe.done"):
    """The recording is transcribed; its text is that of its segments, empty if nothing was
    understood. ``confidence`` is that of the text, ``language_confidence`` the probability that it
    is in ``language``; -1: unknown."""

    text: str
    language: str = ""
    confidence: float = -1.0
    language_confidence: float = -1.0
    audio_ms: int = 0
    model: str = ""
