"""What every agent process is told by its environment."""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agents.runtime.errors import BadSettings
from agents.runtime.slot import SlotOptions


class AgentSettings(BaseSettings):
    """Base of ``agents/<kind>/settings.py``, built once in ``__main__``.

    Each field names its variable by ``validation_alias``. A ``.env`` in the working directory
    fills in what the environment does not say; it is shared with the hub and with other agents,
    so names that mean nothing here are theirs.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
        env_file=".env",
        extra="ignore",
        populate_by_name=True,
        protected_namespaces=(),
    )

    bus_dir: Path = Field(validation_alias="HUB_BUS_DIR")
    """The private directory that holds the sockets of the bus."""
    role: str = Field(default="primary", min_length=1, validation_alias="HUB_AGENT_ROLE")
    """Tells two agents of one kind apart."""
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias=AliasChoices("HUB_LOG_LEVEL", "LOG_LEVEL")
    )
    hub_log_json: bool | None = Field(default=None, validation_alias="HUB_LOG_JSON")
    """Not set: what ``LOG_FORMAT`` says."""
    log_format: Literal["console", "json"] = Field(default="console", validation_alias="LOG_FORMAT")
    model_warmup: bool = Field(default=True, validation_alias="HUB_MODEL_WARMUP")
    """Load the model before the agent is ready; else when it is first needed."""
    model_idle_s: float = Field(default=0.0, ge=0, le=604_800, validation_alias="HUB_MODEL_IDLE_S")
    """How long nobody may need the model before its memory is freed; 0: it stays loaded."""

    @property
    def log_json(self) -> bool:
        """Whether log lines are JSON."""
        return self.log_format == "json" if self.hub_log_json is None else self.hub_log_json

    @property
    def slot_options(self) -> SlotOptions:
        """When the engine is loaded and unloaded."""
        return SlotOptions(self.model_warmup, self.model_idle_s)

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value


S = TypeVar("S", bound=AgentSettings)


def load(settings: type[S]) -> S:
    """Build ``settings`` from the environment and ``.env``.

    Raises:
        BadSettings: a value is missing or wrong; the text names each variable and what it needs.
    """
    try:
        return settings()  # type: ignore[call-arg] # the environment has them
    except ValidationError as error:
        raise BadSettings("; ".join(map(_sentence, error.errors()))) from None


def _sentence(problem: object) -> str:
    assert isinstance(problem, dict)
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{name} is not set"
    return f"{name} is {problem['input']!r}: {problem['msg']}"
