"""What the image agent is told by its environment."""

from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, SecretStr

from agents.image_gen.limits import Limits
from agents.runtime.settings import AgentSettings


class Endpoint(NamedTuple):
    """A server, and the key that it may see."""

    base_url: str
    api_key: str


class ImageSettings(AgentSettings):
    """Engine, and how it runs."""

    backend: Literal["auto", "diffusers", "openai", "scripted"] = Field(
        default="auto", validation_alias="IMAGE_BACKEND"
    )
    """``auto`` takes diffusers where it is installed and its model is on disk, else the server
    that is named."""
    max_side: int = Field(default=2048, ge=256, le=2048, validation_alias="MAX_IMAGE_SIZE")
    """Longest side of a picture in pixels."""

    model_name: str = Field(
        default="stabilityai/stable-diffusion-xl-base-1.0",
        min_length=1,
        validation_alias="IMAGE_MODEL_NAME",
    )
    """For diffusers: a repository of the model hub that is in its cache, or a directory."""
    model_path: str = Field(default="", validation_alias="IMAGE_MODEL_PATH")
    """A directory; goes before ``IMAGE_MODEL_NAME``."""
    cache_dir: Path | None = Field(default=None, validation_alias="MODEL_CACHE_DIR")
    """Where the model hub's cache is, if not where its library has it."""
    device: Literal["auto", "cuda", "cpu"] = Field(default="auto", validation_alias="IMAGE_DEVICE")
    dtype: Literal["auto", "float16", "bfloat16", "float32"] = Field(
        default="auto", validation_alias="IMAGE_DTYPE"
    )
    """Numbers that the model reckons with; ``auto``: float16 on a GPU, float32 on a CPU."""
    cpu_offload: bool = Field(default=False, validation_alias="DIFFUSERS_ENABLE_CPU_OFFLOAD")
    """Keep on the GPU only the part of the model that works: half the memory, and slower."""
    attention_slicing: bool = Field(default=False, validation_alias="IMAGE_ATTENTION_SLICING")
    """Reckon attention piece by piece. It saves memory, and costs much time where torch has a fused
    attention, which needs as little."""

    image_base_url: str = Field(default="", validation_alias="IMAGE_BASE_URL")
    """Where an OpenAI-compatible server makes pictures, up to and with ``/v1``. Empty: the first of
    ``OPENAI_BASE_URL``, where the planner's servers are."""
    image_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="IMAGE_API_KEY")
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    openai_model: str = Field(default="", validation_alias="IMAGE_OPENAI_MODEL")
    """Empty: the first model that the server lists under a name that says it makes pictures, else
    the server's own choice."""
    scripted_pause_s: float = Field(default=0.0, ge=0, validation_alias="SCRIPTED_PAUSE_S")
    """What a step takes, for scripted."""
    timeout_s: float = Field(default=300.0, gt=0, le=3_600, validation_alias="IMAGE_TIMEOUT_S")
    """How long one picture of the server may take in all."""

    @property
    def model(self) -> str:
        """The model of diffusers: a directory, or a repository."""
        return self.model_path or self.model_name

    @property
    def limits(self) -> Limits:
        """What can be asked for."""
        return Limits(max_side=self.max_side)

    @property
    def endpoint(self) -> Endpoint:
        """The server of ``openai``. A key of the planner's servers goes to no other server."""
        own_key = self.image_api_key.get_secret_value()
        if self.image_base_url:
            return Endpoint(self.image_base_url, own_key)
        first = self.openai_base_url.partition(",")[0].partition("#")[0].strip()
        shared_key = self.openai_api_key.get_secret_value().partition(",")[0].strip()
        return Endpoint(first, own_key or shared_key)
