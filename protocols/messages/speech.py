"""A response as audio: requested phrase by phrase, sent by credit, heard word by word.

All times are milliseconds of the response's own timeline, which starts at its first sample.
"""

import msgspec

from protocols.envelope import Message


class SpeechRequest(Message, tag="speech.request"):
    """Order to tts: speak ``text`` as phrase number ``phrase`` (from 0, in order). ``volume`` is a
    factor, 0 to 1."""

    phrase: int
    text: str
    rate_hz: int
    emotion: str = "neutral"
    intensity: float = 0.5
    language: str = "en"
    voice: str = ""
    volume: float = 1.0


class SpeechFinish(Message, tag="speech.finish"):
    """Order to tts: no phrase follows the ``phrases`` that were requested."""

    phrases: int


class SpeechCredit(Message, tag="speech.credit"):
    """Order to tts: audio up to ``until_ms`` of the response may be sent. Absolute, so a lost or
    repeated grant does no harm."""

    until_ms: int


class WordMark(msgspec.Struct, frozen=True):
    """When a word of the response sounds."""

    text: str
    start_ms: int
    end_ms: int


class VisemeMark(msgspec.Struct, frozen=True):
    """When the mouth takes the shape of a phoneme (IPA)."""

    phoneme: str
    at_ms: int


class SpeechMarks(Message, tag="speech.marks"):
    """Word and phoneme times of a phrase; sent no later than the audio they describe, and so
    several times for a long phrase, each time with further words."""

    phrase: int
    words: tuple[WordMark, ...] = ()
    visemes: tuple[VisemeMark, ...] = ()


class SpeechEnded(Message, tag="speech.ended"):
    """All audio of a phrase is sent: samples ``first_sample`` to ``last_sample`` (exclusive)."""

    phrase: int
    first_sample: int
    last_sample: int
    rate_hz: int


class SpeechPlayed(Message, tag="speech.played"):
    """Fact of the hub: how far the robot's loudspeaker got. ``words`` were heard in full."""

    played_ms: int
    words: int = 0
    heard_text: str = ""
