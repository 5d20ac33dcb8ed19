"""What the planner is told by its environment."""

from typing import Literal

from pydantic import AliasChoices, Field, SecretStr

from agents.runtime.settings import AgentSettings

REFLEX_ROLE = "reflex"
"""Role of the standing second planner, which answers when the chosen one cannot."""


class PlannerSettings(AgentSettings):
    """``LLM_`` names go before ``OPENAI_`` names where both are set."""

    backend: Literal["auto", "openai", "reflex", "scripted", "vllm", "ollama", "transformers"] = (
        Field(default="auto", validation_alias="LLM_BACKEND")
    )
    """``auto`` takes the server of ``base_url`` if it answers at start, else the reflex planner."""
    base_url: str = Field(
        default="",
        pattern=r"^(https?://[\w.:\[\]-]+(/\S*)?)?$",
        validation_alias=AliasChoices("LLM_BASE_URL", "OPENAI_BASE_URL"),
    )
    """Where an OpenAI-compatible server is, up to and with ``/v1``."""
    api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("LLM_API_KEY", "OPENAI_API_KEY")
    )
    model: str = Field(default="", validation_alias=AliasChoices("LLM_MODEL", "OPENAI_MODEL"))
    """Empty: the first model that the server lists."""
    timeout_s: float = Field(default=20.0, gt=0, le=300, validation_alias="OPENAI_TIMEOUT_S")
    """How long one answer may take in all."""
    temperature: float = Field(default=0.7, ge=0, le=2, validation_alias="TEMPERATURE")
