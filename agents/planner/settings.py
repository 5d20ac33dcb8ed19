"""What the planner is told by its environment."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from agents.engines.language.addresses import Address, addresses, check_addresses, check_keys
from agents.planner.tools.allowed import Allowed
from agents.planner.tools.servers import Server, servers_of
from agents.runtime.settings import AgentSettings

REFLEX_ROLE = "reflex"
"""Role of the standing second planner, which answers when the chosen one cannot."""

_DURATION = r"^-?(\d+(\.\d+)?|(\d+(\.\d+)?(ms|s|m|h))+)$"
"""Seconds, or what Go's ``time.ParseDuration`` reads."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class PlannerSettings(AgentSettings):
    """``LLM_`` names go before ``OPENAI_`` names where both are set."""

    backend: Literal["auto", "openai", "reflex", "scripted", "vllm", "ollama", "transformers"] = (
        Field(default="auto", validation_alias="LLM_BACKEND")
    )
    """``auto`` takes the first that can work: ollama, openai, transformers, reflex."""
    temperature: float = Field(default=0.7, ge=0, le=2, validation_alias="TEMPERATURE")
    """Of openai, ollama and transformers; vllm has its own."""
    plan_timeout_s: float = Field(default=5.0, gt=0, le=300, validation_alias="PLAN_TIMEOUT_S")
    """How long ollama may take for a plan. The hub waits no longer for any engine."""
    warmup_llm: bool = Field(default=True, validation_alias="WARMUP_LLM")
    """Load the model and let it begin an answer before the planner is ready."""

    base_url: str = Field(
        default="", validation_alias=AliasChoices("LLM_BASE_URL", "OPENAI_BASE_URL")
    )
    """Where OpenAI-compatible servers are, up to and with ``/v1``: one address or several, the
    preferred first, between commas. ``http://host/v1#name`` asks that server for its own model."""
    api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("LLM_API_KEY", "OPENAI_API_KEY")
    )
    """One key for all servers, or one for each between commas, so that none sees another's."""
    model: str = Field(default="", validation_alias=AliasChoices("LLM_MODEL", "OPENAI_MODEL"))
    """Empty: the first model that the server lists."""
    timeout_s: float = Field(default=20.0, gt=0, le=300, validation_alias="OPENAI_TIMEOUT_S")
    """How long one answer may take in all."""

    ollama_url: str = Field(
        default="http://localhost:11434",
        pattern=r"^https?://[\w.:\[\]-]+(/\S*)?$",
        validation_alias="OLLAMA_URL",
    )
    ollama_model: str = Field(
        default="qwen3:14b", min_length=1, max_length=200, validation_alias="MODEL_NAME"
    )
    auto_pull: bool = Field(default=True, validation_alias="AUTO_PULL_OLLAMA_MODEL")
    """Let Ollama download a model that it does not have."""
    pull_timeout_s: float = Field(default=1800.0, gt=0, validation_alias="OLLAMA_PULL_TIMEOUT_S")
    converse_keep_alive: str = Field(
        default="0s", pattern=_DURATION, validation_alias="CONVERSE_KEEP_ALIVE"
    )
    """How long Ollama keeps the model after an answer: ``5m``, ``0s``; negative for ever."""
    plan_keep_alive: str = Field(
        default="0s", pattern=_DURATION, validation_alias="PLAN_KEEP_ALIVE"
    )
    num_ctx: int = Field(default=4096, ge=256, le=4096, validation_alias="NUM_CTX")
    """Ollama's window in tokens, prompt and answer together."""

    vllm_model_name: str = Field(
        default="Vishva007/gemma-4-E4B-it-W4A16-AutoRound-GPTQ",
        min_length=1,
        validation_alias="VLLM_MODEL_NAME",
    )
    vllm_dtype: str = Field(default="float16", validation_alias="VLLM_DTYPE")
    vllm_quantization: str = Field(default="", validation_alias="VLLM_QUANTIZATION")
    """Empty: what the model's own configuration says (``gptq_marlin`` for the default model)."""
    vllm_gpu_memory_utilization: float = Field(
        default=0.35, ge=0.05, le=0.95, validation_alias="VLLM_GPU_MEMORY_UTILIZATION"
    )
    vllm_max_model_len: int = Field(default=4096, ge=256, validation_alias="VLLM_MAX_MODEL_LEN")
    vllm_max_num_seqs: int = Field(default=2, ge=1, validation_alias="VLLM_MAX_NUM_SEQS")
    vllm_max_num_batched_tokens: int = Field(
        default=256, ge=16, validation_alias="VLLM_MAX_NUM_BATCHED_TOKENS"
    )
    vllm_tensor_parallel_size: int = Field(
        default=1, ge=1, le=64, validation_alias="VLLM_TENSOR_PARALLEL_SIZE"
    )
    vllm_temperature: float = Field(default=0.7, ge=0, le=2, validation_alias="VLLM_TEMPERATURE")
    vllm_timeout_s: float = Field(default=20.0, gt=0, le=300, validation_alias="VLLM_TIMEOUT_S")
    vllm_max_output_tokens: int = Field(
        default=512, ge=64, validation_alias="VLLM_MAX_OUTPUT_TOKENS"
    )
    vllm_enable_thinking: bool = Field(default=False, validation_alias="VLLM_ENABLE_THINKING")

    hf_model: str = Field(
        default="microsoft/Fara-7B", min_length=1, validation_alias="AURAOS_HF_MODEL"
    )
    """A directory, or a name in the cache of the model hub; for transformers."""
    hf_device: Literal["auto", "cuda", "cpu"] = Field(
        default="auto", validation_alias="AURAOS_DEVICE"
    )
    hf_load_in_8bit: bool = Field(default=False, validation_alias="TRANSFORMERS_LOAD_IN_8BIT")

    scripted_pause_s: float = Field(default=0.0, ge=0, validation_alias="SCRIPTED_PAUSE_S")
    """What scripted engines take for every piece of a program's text and every step of a picture."""
    scripted_capacity: int = Field(default=1024, ge=1, validation_alias="SCRIPTED_CAPACITY")
    """How many answers the scripted planner gives at once."""

    tools_enabled: bool = Field(default=True, validation_alias="MCP_PREAMBLE_ENABLED")
    """Let answers call the tools of MCP servers, where there are any."""
    tool_servers: SecretStr = Field(default=SecretStr(""), validation_alias="MCP_SERVERS")
    """Servers of tools as JSON, or the file with it; see ``agents/planner/tools/servers.py``."""
    tool_server_url: str = Field(default="", validation_alias="MCP_SERVER_URL")
    """One more, called ``supervisor``: a robot's own, by streamable HTTP."""
    tool_hosts: Names = Field(default=(), validation_alias="MCP_HOSTS")
    """Hosts that the URLs of servers may name, beside this machine."""
    tool_allow: Names = Field(default=(), validation_alias="MCP_ALLOW")
    """Which robot may use which tool: ``robot1:weather.forecast``, with ``*`` for any; no rule, no
    tool."""
    tool_budget_ms: int = Field(
        default=500, ge=100, le=5_000, validation_alias="MCP_TOOL_BUDGET_MS"
    )
    """How long a call of a tool may take."""
    tool_pins_dir: Path = Field(
        default=Path("."), validation_alias=AliasChoices("MCP_PINS_DIR", "HUB_DATA_DIR")
    )
    """Where ``mcp-pins.json`` is; the hub's data directory, if nothing else is said."""

    def tool_server_specs(self) -> dict[str, Server]:
        """The servers of tools, by name.

        Raises:
            ValueError: they cannot be meant. Not said by the settings themselves, whose errors
                quote what was written: there may be a secret in it.
        """
        return servers_of(
            self.tool_servers.get_secret_value(), self.tool_server_url, self.tool_hosts
        )

    @field_validator("tool_allow")
    @classmethod
    def _are_rules(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        Allowed(rules)
        return rules

    @property
    def servers(self) -> list[Address]:
        """Address, model and key of every server that ``base_url`` names, in order."""
        return addresses(self.base_url, self.api_key.get_secret_value(), self.model)

    @field_validator("base_url")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        return check_addresses(text)

    @model_validator(mode="after")
    def _one_key_each(self) -> Self:
        check_keys(self.base_url, self.api_key.get_secret_value())
        return self
