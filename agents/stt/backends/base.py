"""What stt asks of its engines: one stream per session, one utterance at a time."""

from typing import NamedTuple, Protocol

from agents.runtime.service import Backend

RECOGNISERS = {
    "faster_whisper": "agents.stt.backends.faster_whisper:FasterWhisper",
    "pocketsphinx": "agents.stt.backends.pocketsphinx:PocketSphinx",
    "scripted": "agents.stt.backends.scripted:ScriptedRecogniser",
}
"""Recognisers by the name that settings call them."""


class Hypothesis(NamedTuple):
    """The text so far; its first ``stable_chars`` characters stand for good."""

    text: str
    stable_chars: int = 0


class Transcript(NamedTuple):
    """The text of an utterance, empty if nothing was understood; ``confidence`` is -1 where the
    engine does not say."""

    text: str
    language: str = ""
    confidence: float = -1.0


class Stream(Protocol):
    """Recognises one session's utterances, one after the other; calls do not overlap.

    Every method may raise ``AgentError``; after :meth:`reset` the stream is as good as new.
    """

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        """Take the next sound of the utterance (16 kHz mono s16le, whole samples); None if the
        engine has nothing to say about it yet."""

    async def finish(self) -> Transcript:
        """The utterance is complete; the next ``feed`` begins a new one."""

    async def reset(self) -> None:
        """Forget the utterance."""

    async def close(self) -> None:
        """The session is over; may be called at any time."""


class Recogniser(Backend, Protocol):
    """An engine that is loaded once and serves ``capacity`` sessions."""

    capacity: int
    model: str
    """What was loaded, for people."""

    def stream(self, language: str) -> Stream:
        """Begin a session in ``language`` (ISO 639-1)."""
