"""The text of an utterance, growing and final. Stt → hub."""

from protocols.envelope import Message


class TranscriptPartial(Message, tag="transcript.partial"):
    """The text so far; the first ``stable_chars`` of it will not change any more."""

    utterance: int
    text: str
    stable_chars: int = 0


class TranscriptFinal(Message, tag="transcript.final"):
    """The text of an utterance; empty if nothing was understood. ``confidence`` 0..1, -1 unknown."""

    utterance: int
    text: str
    language: str = ""
    confidence: float = -1.0
    audio_ms: int = 0


class TranscriptFailed(Message, tag="transcript.failed"):
    """The recogniser could not transcribe the utterance."""

    utterance: int
    code: str
    detail: str = ""
