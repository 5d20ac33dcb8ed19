"""What ears is told by its environment."""

from typing import Literal

from pydantic import Field

from agents.runtime.settings import AgentSettings


class EarsSettings(AgentSettings):
    """See ``agents/ears/endpointing.py`` for the numbers that are not settings."""

    backend: Literal["auto", "silero", "silero_single", "scripted"] = Field(
        default="auto", validation_alias="EARS_BACKEND"
    )
    """``auto`` takes the batched Silero where it is installed, else the other one."""
    turn_model: Literal["auto", "smart_turn", "none"] = Field(
        default="auto", validation_alias="EARS_TURN_MODEL"
    )
    """``auto`` takes Smart Turn where it is installed; scripted ears have none."""
    silence_ms: int = Field(default=700, ge=200, le=5_000, validation_alias="EARS_SILENCE_MS")
    """Silence that ends an utterance before the speaker's pauses are known."""
    max_utterance_ms: int = Field(
        default=30_000, ge=1_000, le=120_000, validation_alias="EARS_MAX_UTTERANCE_MS"
    )
    capacity: int = Field(default=200, ge=1, validation_alias="EARS_CAPACITY")
    """Robots that are served at once."""
