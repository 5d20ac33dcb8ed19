"""No voice: every phrase is refused, so that the hub knows and answers by text alone."""

from collections.abc import AsyncGenerator

from agents.runtime.errors import AgentError
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.prosody import Prosody


class NoVoice:
    """Refuses to speak, with the code ``tts_disabled``."""

    name = "off"
    rate_hz = 16_000
    capacity = 1024

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    async def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        """Refuse."""
        nothing: tuple[Sound | Marks, ...] = ()
        for part in nothing:
            yield part
        raise AgentError("speech is switched off (TTS_BACKEND=off)", code="tts_disabled")
