"""What vision is told by its environment."""

from typing import Literal, Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator

from agents.engines.language.addresses import Address, addresses, check_addresses, check_keys
from agents.runtime.settings import AgentSettings

LLAVA = "llava"
"""Beginning of the names of the Ollama models that see, where none is named."""


class VisionSettings(AgentSettings):
    """``VISION_`` names go before those that other agents and old installations share."""

    backend: Literal[
        "auto", "openai", "anthropic", "ollama", "transformers", "embedded", "scripted"
    ] = Field(
        default="auto", validation_alias=AliasChoices("VISION_BACKEND", "AURAOS_INFERENCE_BACKEND")
    )
    """``auto``: the hosted servers that answer, openai before anthropic; behind them, for when they
    do not, what is on this machine: ollama, transformers; embedded if there is nothing at all."""
    model: str = Field(default="", max_length=200, validation_alias="VISION_MODEL")
    """Of openai and ollama. Empty: ``OPENAI_MODEL`` or the first that the server lists; the first
    ``llava`` that Ollama lists."""
    timeout_s: float = Field(default=120.0, gt=0, le=300, validation_alias="VISION_TIMEOUT_S")
    """How long one answer may take in all."""
    temperature: float = Field(default=0.2, ge=0, le=2, validation_alias="VISION_TEMPERATURE")
    """Where a chat names none: of openai, ollama and transformers."""

    base_url: str = Field(
        default="", validation_alias=AliasChoices("VISION_BASE_URL", "OPENAI_BASE_URL")
    )
    """Where OpenAI-compatible servers are, as for the planner."""
    api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("VISION_API_KEY", "OPENAI_API_KEY")
    )
    openai_model: str = Field(default="", validation_alias="OPENAI_MODEL")

    anthropic_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="ANTHROPIC_API_KEY"
    )
    anthropic_base_url: str = Field(
        default="https://api.anthropic.com",
        pattern=r"^https?://[\w.:\[\]-]+(/\S*)?$",
        validation_alias="ANTHROPIC_BASE_URL",
    )
    anthropic_model: str = Field(default="", validation_alias="ANTHROPIC_MODEL")
    """Empty: the newest that the server lists."""

    ollama_url: str = Field(
        default="http://localhost:11434",
        pattern=r"^https?://[\w.:\[\]-]+(/\S*)?$",
        validation_alias="OLLAMA_URL",
    )

    hf_model: str = Field(
        default="microsoft/Fara-7B", min_length=1, validation_alias="AURAOS_HF_MODEL"
    )
    """A directory, or a name in the cache of the model hub; for transformers."""
    hf_device: Literal["auto", "cuda", "cpu"] = Field(
        default="auto", validation_alias="AURAOS_DEVICE"
    )
    hf_load_in_8bit: bool = Field(default=False, validation_alias="TRANSFORMERS_LOAD_IN_8BIT")

    ocr_threads: int = Field(default=1, ge=1, le=16, validation_alias="OCR_THREADS")
    """Threads that read one screen; more make it faster, and robots' answers slower."""

    @property
    def servers(self) -> list[Address]:
        """Every server that ``base_url`` names, in order."""
        return addresses(
            self.base_url, self.api_key.get_secret_value(), self.model or self.openai_model
        )

    @field_validator("base_url")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        return check_addresses(text)

    @model_validator(mode="after")
    def _one_key_each(self) -> Self:
        check_keys(self.base_url, self.api_key.get_secret_value())
        return self
