"""What stt asks of its engines: one stream per session, one utterance at a time."""

from typing import NamedTuple, Protocol, runtime_checkable

from agents.runtime.errors import BackendUnavailable
from agents.runtime.service import Backend

RECOGNISERS = {
    "faster_whisper": "agents.stt.backends.faster_whisper:FasterWhisper",
    "openai": "agents.stt.backends.openai:OpenAiRecogniser",
    "pocketsphinx": "agents.stt.backends.pocketsphinx:PocketSphinx",
    "scripted": "agents.stt.backends.scripted:ScriptedRecogniser",
}
"""Recognisers by the name that settings call them."""


def main_language(tag: str) -> str:
    """The ISO 639-1 code in a tag (``en-US``); empty where the engine is to find out (``auto``)."""
    main = tag.strip().lower().partition("-")[0]
    return "" if main == "auto" else main


class EngineRefuses(BackendUnavailable):
    """The engine is there and will not serve as it is asked to: waiting for it does not help."""


class Hypothesis(NamedTuple):
    """The text so far; its first ``stable_chars`` characters stand for good."""

    text: str
    stable_chars: int = 0


class Transcript(NamedTuple):
    """The text of an utterance, empty if nothing was understood; ``language`` as the engine took it
    or found it; ``confidence`` is -1 where the engine does not say."""

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


@runtime_checkable
class Redecoding(Protocol):
    """A stream whose engine is asked anew for every partial transcript, from the beginning of the
    utterance. It is asked beside the feeding, so that neither sound nor the final waits for it."""

    async def partial(self) -> Hypothesis:
        """Wait until enough new sound is there, and decode; may be cancelled at any time, and is
        before ``finish``, ``reset`` and ``close``."""


class Recogniser(Backend, Protocol):
    """An engine that is loaded once and serves ``capacity`` sessions."""

    @property
    def capacity(self) -> int:
        """How many sessions it serves at once."""

    @property
    def model(self) -> str:
        """What was loaded, for people."""

    def stream(self, language: str) -> Stream:
        """Begin a session in ``language`` (ISO 639-1, with or without a region; ``auto`` or empty
        if the engine is to find out, which one that knows a single language need not)."""
