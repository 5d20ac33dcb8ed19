"""What tts is told by its environment."""

from typing import Literal

from pydantic import Field

from agents.runtime.settings import AgentSettings


class TtsSettings(AgentSettings):
    """See ``agents/tts/prosody.py`` for what a feeling changes about these."""

    backend: Literal["auto", "espeak", "off", "scripted", "orpheus"] = Field(
        default="auto", validation_alias="TTS_BACKEND"
    )
    """``auto`` takes espeak-ng, which every installation has."""
    voice: str = Field(
        default="en-us", pattern=r"^[A-Za-z0-9+_-]{1,32}$", validation_alias="TTS_VOICE"
    )
    rate_wpm: int = Field(default=165, ge=80, le=450, validation_alias="TTS_RATE_WPM")
    """Words per minute of a neutral voice."""
