"""Settings of the answers that are kept to be given again."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CacheSettings(BaseSettings):
    """Part of the hub's settings: nothing is kept until it is asked for."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    hub_cache_s: float = Field(default=0.0, ge=0, le=86_400)
    """How long answers of ``/ai`` may be given again to the same request; 0: never."""
    hub_cache_entries: int = Field(default=256, ge=1, le=10_000)
    """How many answers are kept for that, in memory."""
