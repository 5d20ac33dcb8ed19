"""Settings of when robots listen."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AttentionSettings(BaseSettings):
    """Part of the hub's settings: what holds for robots that do not say it themselves."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    hub_attention: Literal["open", "push_to_talk", "wake_word", "muted"] = "open"
    """When a robot listens that says nothing of it, nor has a profile that does."""
    hub_follow_up_ms: int = Field(default=8_000, ge=1_000, le=120_000)
    """With a wake word: how long after it, and after each answer, what is said is taken."""
