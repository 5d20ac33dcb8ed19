"""What stt asks of its engines: one stream per session, one utterance at a time; and the text of
whole recordings."""

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol, runtime_checkable

from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.service import Backend
from protocols.messages.transcribe import TranscribeSegment

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


class NotServed(AgentError):
    """The engine cannot do a part of what was asked; ``code`` says which."""

    code = "not_served"


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


class Asked(NamedTuple):
    """How a recording is to be transcribed; see ``TranscribeRequest``. ``language`` is a code of
    ISO 639-1, empty to find out; ``temperature`` None: the engine's own way."""

    language: str = ""
    prompt: str = ""
    temperature: float | None = None
    words: bool = False
    translate: bool = False


class Understood(NamedTuple):
    """What is known of a recording at its end. Confidences are -1 where the engine does not say;
    ``language_confidence`` is the probability that it is the language."""

    text: str
    language: str = ""
    confidence: float = -1.0
    language_confidence: float = -1.0


@runtime_checkable
class Transcribing(Protocol):
    """A recogniser that takes whole recordings, too. None of them delays an utterance that a user
    is speaking now by more than one step of the engine."""

    @property
    def model(self) -> str:
        """What was loaded, for people."""

    def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        """The stretches of a recording (16 kHz mono s16le, whole samples) in their order, and last
        what is understood of all. An async generator: closing it stops the engine before its next
        step.

        Raises:
            NotServed: ``language_not_served``, ``translate_not_served``, ``prompt_not_served``,
                ``temperature_not_served``, ``words_not_served``.
            AgentError: the engine failed, or is not there.
        """


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


def transcribing(recogniser: Recogniser) -> Transcribing:
    """``recogniser`` as one that takes whole recordings.

    Raises:
        NotServed: it is none (``recordings_not_served``).
    """
    engine: object = recogniser
    if not isinstance(engine, Transcribing):
        raise NotServed(f"{recogniser.name} takes no recordings", "recordings_not_served")
    return engine
