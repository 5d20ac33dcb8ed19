"""A scripted voice that remembers how it was to speak."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.backends.scripted import ScriptedVoice
from agents.tts.prosody import Prosody


class Asked(NamedTuple):
    """A phrase that was to be spoken."""

    text: str
    voice: str
    speed: float


class NotingVoice(ScriptedVoice):
    """``asked`` are all phrases; ``slow_down`` makes it speak no faster than so."""

    def __init__(self) -> None:
        super().__init__(rate_hz=24_000)
        self.asked: list[Asked] = []

    def slow_down(self, pause_s: float) -> None:
        """Take so long before every word from now on."""
        self._pause_s = pause_s

    def fail_at(self, word: int) -> None:
        """Fail before that word from now on."""
        self._fails_at = word

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        self.asked.append(Asked(text, voice, prosody.speed))
        return super().speak(text, prosody, language, voice, lead)
