"""What stt is told by its environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from agents.runtime.settings import AgentSettings


class SttSettings(AgentSettings):
    """Engine, and how it runs."""

    backend: Literal["auto", "faster_whisper", "pocketsphinx", "scripted"] = Field(
        default="auto", validation_alias="STT_BACKEND"
    )
    """``auto`` takes faster-whisper where its model is on disk, else the embedded pocketsphinx."""
    model_size: str = Field(default="base.en", min_length=1, validation_alias="STT_MODEL_SIZE")
    """Whisper model: a size, a repository of the model hub, or a directory."""
    models_dir: Path | None = Field(default=None, validation_alias="STT_MODELS_DIR")
    """Where models are looked for by name, before the model hub's own cache."""
    device: str = Field(default="cpu", validation_alias="STT_DEVICE")
    compute_type: str = Field(default="int8", validation_alias="STT_COMPUTE_TYPE")
    threads: int = Field(default=0, ge=0, validation_alias="STT_THREADS")
    """Threads of an inference on the CPU; 0 leaves it to the engine."""
    workers: int = Field(default=1, ge=1, le=64, validation_alias="STT_WORKERS")
    """Users that may speak at the same time; pocketsphinx takes a process of 230 MB for each."""
    script: tuple[str, ...] = Field(default=(), validation_alias="STT_SCRIPT")
    """What the scripted engine hears, as a JSON list; see its class."""
