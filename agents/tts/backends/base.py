"""What tts needs of an engine."""

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

from agents.runtime.service import Backend
from agents.tts.prosody import Prosody
from protocols.messages.speech import VisemeMark, WordMark


class Sound(NamedTuple):
    """Audio of a phrase: mono s16le at the voice's rate."""

    pcm: bytes


class Marks(NamedTuple):
    """What sounds when, in milliseconds of the phrase."""

    words: tuple[WordMark, ...] = ()
    visemes: tuple[VisemeMark, ...] = ()


class Voice(Backend, Protocol):
    """Speaks one phrase after the other, for any number of responses at once.

    All its failures are ``AgentError``s, with the code that the client is to see.
    """

    rate_hz: int
    """Rate of its audio; known once it is started."""
    capacity: int
    """How many responses and jobs it serves at once."""

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str
    ) -> AsyncGenerator[Sound | Marks, None]:
        """Speak ``text``, one line without markup, with at least one letter or digit.

        The marks of a stretch of audio come before it. There is one word mark for each
        whitespace-separated word of ``text``, in order; one of hundreds of letters may be parted. A ``voice`` that the engine does not have
        is replaced by one of ``language``. An async generator: closing it stops the engine.
        """


VOICES = {
    "espeak": "agents.tts.backends.espeak:EspeakVoice",
    "off": "agents.tts.backends.off:NoVoice",
    "scripted": "agents.tts.backends.scripted:ScriptedVoice",
}
"""Where each engine is; a module is imported only when its engine is chosen."""
