"""What the hub is told about its logs."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class LogSettings(BaseSettings):
    """Where the ``HUB_`` names are not set, ``LOG_LEVEL`` and ``LOG_FORMAT`` count, for the agents
    too: what they mean is handed on under the hub's names."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    hub_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    hub_log_json: bool = False
    log_level: str = ""
    log_format: Literal["console", "json"] = "console"
    hub_log_max_mib: int = Field(default=16, ge=1, le=4_096)
    """Where ``robot-hub start`` logs to a file: how large one grows before the next is begun."""
    hub_log_files: int = Field(default=4, ge=1, le=100)
    """How many older files of the log are kept."""
    log_transcripts: bool = False
    """Let what people say into the log."""

    @model_validator(mode="before")
    @classmethod
    def _as_documented(cls, values: Any) -> Any:
        level, form = values.get("log_level"), values.get("log_format")
        if level and not values.get("hub_log_level"):
            values = {**values, "hub_log_level": level}
        if form and values.get("hub_log_json") in (None, ""):
            values = {**values, "hub_log_json": form.strip().lower() == "json"}
        return values

    @field_validator("log_format", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("hub_log_level", mode="before")
    @classmethod
    def _in_upper_case(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value
