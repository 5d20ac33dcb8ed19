"""What the recorder is told by its environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from agents.runtime.settings import AgentSettings


class RecorderSettings(AgentSettings):
    """Whether it is started at all, and what a trace holds, is the hub's to say."""

    backend: Literal["mcap", "scripted"] = Field(
        default="mcap", validation_alias="RECORDER_BACKEND"
    )
    directory: Path = Field(default=Path("traces"), validation_alias="RECORDER_DIR")
    """Where the files go; ``robot-hub run --trace`` sets it."""
    max_mib: int = Field(default=4_096, ge=1, validation_alias="RECORDER_MAX_MIB")
    """A file that has grown so large is ended, and the rest of that run not recorded."""
