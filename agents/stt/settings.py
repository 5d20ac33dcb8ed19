"""What stt is told by its environment."""

from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, SecretStr

from agents.runtime.settings import AgentSettings


class Endpoint(NamedTuple):
    """A server, and the key that it may see."""

    base_url: str
    api_key: str


class SttSettings(AgentSettings):
    """Engine, and how it runs."""

    backend: Literal["auto", "faster_whisper", "openai", "pocketsphinx", "scripted"] = Field(
        default="auto", validation_alias="STT_BACKEND"
    )
    """``auto`` takes faster-whisper where its model is on disk, else the embedded pocketsphinx."""
    language: str = Field(default="", max_length=35, validation_alias="STT_LANGUAGE")
    """Language of all sessions, ``auto`` to find out. Empty: the one that each robot says."""
    workers: int = Field(default=1, ge=1, le=64, validation_alias="STT_WORKERS")
    """Users that may speak at the same time; pocketsphinx takes a process of 230 MB for each. Not
    for openai."""

    model_size: str = Field(default="base.en", min_length=1, validation_alias="STT_MODEL_SIZE")
    """Whisper model: a size, a repository of the model hub, or a directory."""
    models_dir: Path | None = Field(default=None, validation_alias="STT_MODELS_DIR")
    """Where models are looked for by name, before the model hub's own cache."""
    download: bool = Field(default=True, validation_alias="STT_DOWNLOAD")
    """Whether faster-whisper, named by ``STT_BACKEND``, fetches a model that is not on disk."""
    hf_token: SecretStr = Field(default=SecretStr(""), validation_alias="HF_TOKEN")
    """For models that the model hub shows to their owner only."""
    huggingface_hub_token: SecretStr = Field(
        default=SecretStr(""), validation_alias="HUGGINGFACE_HUB_TOKEN"
    )
    """What the same was called once; counts where ``HF_TOKEN`` is empty."""
    device: Literal["cpu", "cuda", "auto"] = Field(default="cpu", validation_alias="STT_DEVICE")
    compute_type: Literal[
        "default", "auto", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16",
        "float16", "bfloat16", "float32",
    ] = Field(default="int8", validation_alias="STT_COMPUTE_TYPE")  # fmt: skip
    """Precision of faster-whisper, as CTranslate2's documentation of quantization names them."""
    beam_size: int = Field(default=5, ge=1, le=32, validation_alias="STT_BEAM_SIZE")
    """Beams of the final transcript; partials take one."""
    threads: int = Field(default=0, ge=0, validation_alias="STT_THREADS")
    """Threads of an inference on the CPU; 0 leaves it to the engine."""

    stt_base_url: str = Field(default="", validation_alias="STT_BASE_URL")
    """Where an OpenAI-compatible server transcribes, up to and with ``/v1``. Empty: the first of
    ``OPENAI_BASE_URL``, where the planner's servers are."""
    stt_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="STT_API_KEY")
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    openai_model: str = Field(default="", validation_alias="STT_OPENAI_MODEL")
    """Empty: ``whisper-1`` if the server lists it or lists nothing, else the first listed one that
    is called a whisper or a transcriber, else the first."""
    openai_partials: bool = Field(default=True, validation_alias="STT_OPENAI_PARTIALS")
    """Transcribe while the user speaks, too: a request for each second of speech. Without it nobody
    interrupts the robot before a sentence is complete."""
    timeout_s: float = Field(default=8.0, gt=0, le=300, validation_alias="STT_TIMEOUT_S")
    """How long a request to the server may take in all; the hub waits for no transcript longer
    than 8 s."""

    script: tuple[str, ...] = Field(default=(), validation_alias="STT_SCRIPT")
    """What the scripted engine hears, as a JSON list; see its class."""

    @property
    def hub_token(self) -> str:
        """The credential for the model hub; empty if there is none."""
        return self.hf_token.get_secret_value() or self.huggingface_hub_token.get_secret_value()

    @property
    def endpoint(self) -> Endpoint:
        """The server of ``openai``. A key of the planner's servers goes to no other server."""
        own_key = self.stt_api_key.get_secret_value()
        if self.stt_base_url:
            return Endpoint(self.stt_base_url, own_key)
        first = self.openai_base_url.partition(",")[0].partition("#")[0].strip()
        shared_key = self.openai_api_key.get_secret_value().partition(",")[0].strip()
        return Endpoint(first, own_key or shared_key)
