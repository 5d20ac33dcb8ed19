"""What the hub process is told by environment, ``.env`` and command line, read once.

Precedence: command line, environment, ``.env`` in the working directory, default. Every field is
the environment variable of the same name in lower case.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from hub.aliases import checked_aliases
from hub.attention_settings import AttentionSettings
from hub.cache_settings import CacheSettings
from hub.environment import ENV_FILE, dotenv, environment
from hub.errors import StartRefused
from hub.gpu_budget import OrpheusPolicy, Share, overbooking, policy_for, policy_named, shares_of
from hub.listen import Listen, checked_listens, is_loopback, listen_of
from hub.log_settings import LogSettings
from hub.origins import checked_origins
from hub.setting_names import OTHER_PROCESSES, likely_misspelt, unknown_names
from hub.tool_settings import ToolSettings
from protocols.messages.agent import AgentKind

IPC_PATH_MAX_BYTES = 107
"""A socket's path must fit into ``sockaddr_un``: 108 bytes with the closing zero."""
_LONGEST_SOCKET_NAME = "media-out"


class SettingsError(StartRefused):
    """A setting is misspelt, has no legal value or contradicts another; the text is one sentence
    that names it."""

    code = "bad_settings"


def _default_data_dir() -> Path:
    base = environment().get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "robot-hub"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Port = Annotated[int, Field(ge=0, le=65_535)]
WhisperPrecision = Literal[
    "default", "auto", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16",
    "bfloat16", "float32",
]  # fmt: skip
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[Names, AfterValidator(checked_origins)]
AbsolutePath = Annotated[Path, BeforeValidator(lambda p: Path(p).expanduser().absolute())]
Fraction = Annotated[float, Field(ge=0.05, le=0.95)]


_NO, _YES = ("", "0", "no", "off", "false"), ("1", "yes", "on", "true")


class Settings(AttentionSettings, CacheSettings, ToolSettings, LogSettings):
    """The hub's settings. Frozen; built once by ``load`` and handed down."""

    model_config = SettingsConfigDict(
        frozen=True,
        use_attribute_docstrings=True,
        extra="ignore",  # the environment is full of other programs' names; ``load`` checks ours
        env_ignore_empty=True,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        protected_namespaces=(),
    )

    # where it listens
    server_host: str = "127.0.0.1"
    server_port: Port = 8100
    """0 takes any free port."""
    api_host: str | None = None
    api_port: Port | None = None
    """Fictures' names: a listener that opens onto its base path; only opened when set."""
    hub_listen: Annotated[Names, AfterValidator(checked_listens)] = ()
    """Further listeners that open old ports onto base paths, as ``8000=fictures``."""
    hub_tls_cert: AbsolutePath | None = None
    hub_tls_key: AbsolutePath | None = None
    hub_hosts: Names = ()
    """Further names by which browsers may call the hub, without port."""
    hub_origins: Origins = ()
    """Further origins (``https://host:port``) whose pages may use the hub."""
    cors_origins: Origins = ("http://localhost:3000", "http://127.0.0.1:3000")
    """Origins whose pages may use its models by HTTP: no robot, no WebSocket, no administration."""
    hub_jwt_key: SecretStr | None = None
    """Secret of an issuer of JSON Web Tokens (HS256), at least 32 bytes."""
    hub_jwt_public_key: str = ""
    """Its public key instead: PEM, or the path of a PEM file (RS256, ES256, ES384 or EdDSA)."""
    hub_jwt_audience: str = ""
    hub_jwt_issuer: str = ""
    """What ``aud`` and ``iss`` of a JSON Web Token must be, where set."""
    hub_announce: bool | None = None
    """Make the hub known in its network (mDNS). Without it: where others can reach it."""
    hub_rate_per_minute: int = Field(default=1_200, ge=0)
    """Requests a minute of a token that has no rate of its own; 0: as many as it likes."""

    # where it keeps things
    hub_data_dir: AbsolutePath = Field(default_factory=_default_data_dir)
    hub_bus_dir: AbsolutePath | None = None
    """Private directory of the bus's sockets; ``bus_dir`` says where it is when not set."""

    # what it leaves behind
    hub_trace: str = ""
    """Write a trace of every run: ``1``, or the directory for it; see ``trace_dir``."""
    hub_record: bool = False
    """Let what is said, words and sound, into the trace."""

    # who works for it
    hub_agents: Names = (
        "ears", "stt", "planner", "planner:reflex", "tts", "vision", "memory", "feelings",
    )  # fmt: skip
    """Agents to start, each as ``kind`` or ``kind:role``."""
    llm_backend: Literal[
        "auto", "vllm", "openai", "ollama", "transformers", "reflex", "scripted"
    ] = "auto"
    ears_backend: str = "auto"
    stt_backend: str = "auto"
    tts_backend: str = "auto"
    vision_backend: str = "auto"
    image_backend: str = "auto"
    embed_backend: str = "auto"
    model_name: str = "qwen3:14b"
    vllm_model_name: str = "Vishva007/gemma-4-E4B-it-W4A16-AutoRound-GPTQ"
    auto_pull_ollama_model: bool = True
    stt_model_size: str = "base.en"
    stt_device: Literal["cpu", "cuda", "auto"] = "cpu"
    stt_compute_type: WhisperPrecision = "int8"
    tts_model_name: str = "canopylabs/orpheus-3b-0.1-ft"
    model_aliases: Annotated[Names, AfterValidator(checked_aliases)] = ()
    """Names that clients ask for models by, as ``phi4=qwen3:14b``; without a model, whichever is
    there. The documents' own names need none."""
    hf_token: SecretStr | None = None
    huggingface_hub_token: SecretStr | None = None

    # how much it takes on
    hub_max_connections: int = Field(default=1_000, ge=1)
    """WebSockets at once; more are refused with 4429."""
    plan_max_inflight: int = Field(default=1, ge=1)
    llm_max_inflight: int = Field(default=1, ge=1)
    tts_busy_queue_threshold: int = Field(default=0, ge=0)
    """These three bind vllm, ollama and orpheus; other backends announce their capacity."""
    hub_jobs_running: int = Field(default=0, ge=0)
    """How many jobs that may wait run at once over all agents; 0: as many as these take."""
    max_actions: int = Field(default=5, ge=0, le=5)
    plan_timeout_s: float = Field(default=5.0, gt=0)
    plan_fallback: Literal["none", "reflex"] = "none"
    """``reflex``: a plan whose model fails is answered by the reflex planner."""

    # how a conversation feels
    hub_planner_deadline_ms: int = Field(default=2_500, ge=100)
    """The reflex planner answers a turn whose model has sent nothing by then."""
    hub_filler_ms: int = Field(default=1_500, ge=100)
    """After this much silence the robot says that it is thinking."""
    hub_guard: bool = True
    """What robots say, and what planners are asked, passes the guard for children."""
    hub_drain_s: float = Field(default=10.0, ge=0)
    """How long turns may go on after SIGTERM."""

    # what a measurement wants
    hub_bench: bool = False
    """Every engine is scripted and hears marks instead of voices (``protocols/marks.py``)."""

    # what the command line needs to reach a hub that runs
    hub_token: SecretStr | None = None

    # the GPU they share
    performance_mode: bool = False
    vllm_gpu_memory_utilization: Fraction = 0.35
    orpheus_gpu_memory_utilization: Fraction = 0.45
    gpu_utilization_cap: float = Field(default=0.80, ge=0.5, le=0.95)
    orpheus_min_free_vram_gb: float = Field(default=10.0, ge=0)
    """GiB of GPU memory that must be free before any engine starts, or Orpheus does not run."""
    hub_orpheus_policy: str = ""
    """What ``robot-hub run`` found of it; see ``hub/gpu_budget.py``. Not for people to set."""

    @field_validator("llm_backend", "plan_fallback", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("hub_agents")
    @classmethod
    def _known_agents(cls, agents: tuple[str, ...]) -> tuple[str, ...]:
        for agent in agents:
            if agent.partition(":")[0] not in set(AgentKind):
                raise ValueError(f"names {agent!r}; agents are {', '.join(AgentKind)}")
        return agents

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.hub_tls_cert is None) != (self.hub_tls_key is None):
            raise ValueError("HUB_TLS_CERT and HUB_TLS_KEY need each other, and one is not set")
        if self.hub_jwt_key is not None and self.hub_jwt_public_key:
            raise ValueError("HUB_JWT_KEY and HUB_JWT_PUBLIC_KEY exclude each other")
        if too_much := overbooking(self.gpu_shares, self.gpu_utilization_cap):
            raise ValueError(too_much)
        longest = len(os.fsencode(self.bus_dir / _LONGEST_SOCKET_NAME))
        if longest > IPC_PATH_MAX_BYTES:
            raise ValueError(
                f"HUB_BUS_DIR must be a shorter path: its sockets' paths would have {longest} "
                f"bytes, and {IPC_PATH_MAX_BYTES} are the limit"
            )
        return self

    @property
    def engines(self) -> dict[str, str]:
        """The engine of every trade, by the setting that names it."""
        names = ("ears", "stt", "llm", "tts", "vision", "image", "embed")
        return {f"{name.upper()}_BACKEND": getattr(self, f"{name}_backend") for name in names}

    @property
    def orpheus_allowed(self) -> bool:
        """Whether the settings let Orpheus be chosen (the GPU may still be too small)."""
        return self.performance_mode and self.tts_backend in ("auto", "orpheus")

    @property
    def orpheus_policy(self) -> OrpheusPolicy:
        """Whether Orpheus may run. A hub that was not told by ``robot-hub run`` what was free
        before its engines started does not know it."""
        if self.hub_orpheus_policy:
            return policy_named(self.hub_orpheus_policy)
        return self.orpheus_policy_at(None)

    def orpheus_policy_at(self, free_gb: float | None) -> OrpheusPolicy:
        """The same if ``free_gb`` GiB of the GPU are free before any engine starts."""
        return policy_for(
            performance_mode=self.performance_mode,
            free_gb=free_gb,
            min_free_gb=self.orpheus_min_free_vram_gb,
        )

    @property
    def gpu_shares(self) -> tuple[Share, ...]:
        """What the engines that would run take of the GPU's memory."""
        kinds = {agent.partition(":")[0] for agent in self.hub_agents}
        vllm = self.llm_backend == "vllm" and AgentKind.PLANNER in kinds
        orpheus = self.orpheus_allowed and AgentKind.TTS in kinds
        return shares_of(
            vllm=self.vllm_gpu_memory_utilization if vllm else None,
            orpheus=self.orpheus_gpu_memory_utilization if orpheus else None,
        )

    @property
    def visible_gpus(self) -> str | None:
        """``CUDA_VISIBLE_DEVICES``, which engines obey; None if it is not set."""
        name = "CUDA_VISIBLE_DEVICES"
        return environment().get(name, dotenv().get(name))

    @property
    def hf_token_present(self) -> bool:
        """Whether gated models of the Hugging Face hub may be fetched."""
        return self.hf_token is not None or self.huggingface_hub_token is not None

    @property
    def bus_dir(self) -> Path:
        """AbsolutePath of the bus's sockets: ``HUB_BUS_DIR``, else inside the data directory, else,
        where that path is too long for a socket, a directory named after it in the runtime or
        temporary directory. Whoever creates it makes it private (0700)."""
        if self.hub_bus_dir is not None:
            return self.hub_bus_dir
        inside = self.hub_data_dir / "bus"
        if len(os.fsencode(inside / _LONGEST_SOCKET_NAME)) <= IPC_PATH_MAX_BYTES:
            return inside
        name = hashlib.sha256(os.fsencode(self.hub_data_dir)).hexdigest()[:16]
        runtime = environment().get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        return Path(runtime) / f"robot-hub-{os.getuid()}-{name}"

    @property
    def trace_dir(self) -> Path | None:
        """Where traces go; None if there are none."""
        wanted = self.hub_trace.strip()
        if wanted.lower() in _NO:
            return None
        if wanted.lower() in _YES:
            return self.hub_data_dir / "traces"
        return Path(wanted).expanduser().absolute()

    @property
    def local_url(self) -> str:
        """Where this machine reaches the hub."""
        here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
        host = here.get(self.server_host, self.server_host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{'https' if self.hub_tls_cert else 'http'}://{host}:{self.server_port}"

    @property
    def takes_jwt(self) -> bool:
        """Whether JSON Web Tokens are accepted."""
        return self.hub_jwt_key is not None or bool(self.hub_jwt_public_key)

    @property
    def listens(self) -> tuple[Listen, ...]:
        """``HUB_LISTEN`` and ``API_PORT``, with the hub's own address where none is said."""
        written = [listen_of(text) for text in self.hub_listen]
        if self.api_port is not None:
            written.insert(0, Listen(self.api_host or "", self.api_port, "fictures"))
        return tuple(each._replace(host=each.host or self.server_host) for each in written)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach every listener."""
        return not self.exposed_host

    @property
    def exposed_host(self) -> str:
        """The first address of a listener that other machines can reach; empty if there is none."""
        hosts = [self.server_host, *(listen.host for listen in self.listens)]
        if self.api_host is not None:
            hosts.append(self.api_host)
        return next((host for host in hosts if not is_loopback(host)), "")

    def child_environment(self) -> dict[str, str]:
        """Environment for the hub and its agents: this process's, ``.env`` under it, and on top
        every setting that was given, so that all of them see the same."""
        mine = {name.upper(): _as_text(getattr(self, name)) for name in self.model_fields_set}
        return {
            **dotenv(),
            **environment(),
            **{name: text for name, text in mine.items() if text is not None},
            "HUB_DATA_DIR": str(self.hub_data_dir),
            "HUB_BUS_DIR": str(self.bus_dir),
            **({"RECORDER_DIR": str(self.trace_dir)} if self.trace_dir else {}),
        }


KNOWN_NAMES = OTHER_PROCESSES | {name.upper() for name in Settings.model_fields}
"""Every environment name that a process of the hub reads."""


def load(warn: Callable[[str], None] | None = None, **overrides: Any) -> Settings:
    """Read the settings; ``overrides`` are fields given on the command line, None meaning not.

    Args:
        warn: called with a sentence for each variable that looks like a misspelt setting.

    Raises:
        SettingsError: something in them cannot be meant.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    outside = environment()
    ours = {name for name in outside if name.upper().startswith("HUB_")}
    try:
        unknown = unknown_names(ours | dotenv().keys(), KNOWN_NAMES)
        if unknown:
            raise SettingsError(unknown[0])
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"{ENV_FILE} cannot be read: {error}") from None
    if warn is not None:
        for sentence in likely_misspelt(outside, KNOWN_NAMES):
            warn(sentence)
    return settings


def _as_text(value: object) -> str | None:
    match value:
        case None:
            return None
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return "1" if value else "0"
        case tuple():
            return ",".join(value)
        case _:
            return str(value)


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    what = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return what
    name = str(first["loc"][0]).upper()
    if first["type"] == "value_error":
        return f"{name} {what}"
    what = what.removeprefix("Input ").replace("should be", "must be")
    return f"{name} {what}, not {first['input']!r}"
