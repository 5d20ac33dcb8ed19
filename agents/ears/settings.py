"""What ears is told by its environment."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from agents.runtime.settings import AgentSettings


def split_names(value: object) -> object:
    """``"a, b"`` as a list of names; anything else as it is."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


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
    wake_backend: Literal["auto", "micro", "scripted", "none"] = Field(
        default="auto", validation_alias="EARS_WAKE_BACKEND"
    )
    """What hears wake words, for robots that wait for one; ``auto`` takes microWakeWord where it is
    installed, and marks if the ears are scripted."""
    wake_words: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_names)] = Field(
        default=("okay_nabu",), min_length=1, max_length=4, validation_alias="EARS_WAKE_WORDS"
    )
    """Wake words, with commas between them: those that the library brings (``okay_nabu``,
    ``hey_jarvis``, ``hey_mycroft``, ``alexa``), or the path of a model's JSON file."""
    wake_threshold: float = Field(
        default=0.0, ge=0, le=0.999, validation_alias="EARS_WAKE_THRESHOLD"
    )
    """Probability from which a wake word counts; 0: what its model advises."""
    silence_ms: int = Field(default=700, ge=200, le=5_000, validation_alias="EARS_SILENCE_MS")
    """Silence that ends an utterance before the speaker's pauses are known."""
    max_utterance_ms: int = Field(
        default=30_000, ge=1_000, le=120_000, validation_alias="EARS_MAX_UTTERANCE_MS"
    )
    capacity: int = Field(default=200, ge=1, validation_alias="EARS_CAPACITY")
    """Robots that are served at once."""
