"""What tts needs of an engine."""

from collections.abc import AsyncGenerator
from typing import Protocol

from agents.runtime.service import Backend
from agents.tts.parts import Lead, Marks, Sound, no_lead
from agents.tts.prosody import Prosody

__all__ = ["VOICES", "Lead", "Marks", "Sound", "Voice", "no_lead"]


class Voice(Backend, Protocol):
    """Speaks one phrase after the other, for any number of responses at once.

    All its failures are ``AgentError``s, with the code that the client is to see.
    """

    @property
    def rate_hz(self) -> int:
        """Rate of its audio; known once it is started."""

    @property
    def capacity(self) -> int:
        """How many responses and jobs it serves at once."""

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        """Speak ``text``, one line without markup, with at least one letter or digit.

        The marks of a stretch of audio come before it. There is one word mark for each
        whitespace-separated word of ``text``, in order; one of hundreds of letters may be parted. A
        ``voice`` that the engine does not have is replaced by one of ``language``. An engine that
        others wait for lets them go first while ``lead()`` is large (``agents/tts/yielding.py``).
        An async generator: closing it stops the engine.
        """


VOICES = {
    "espeak": "agents.tts.backends.espeak:EspeakVoice",
    "kokoro": "agents.tts.backends.kokoro:KokoroVoice",
    "off": "agents.tts.backends.off:NoVoice",
    "openai": "agents.tts.backends.openai:OpenAiVoice",
    "orpheus": "agents.tts.backends.orpheus:OrpheusVoice",
    "scripted": "agents.tts.backends.scripted:ScriptedVoice",
    "shedding": "agents.tts.backends.shedding:SheddingVoice",
}
"""Where each engine is; a module is imported only when its engine is chosen."""
