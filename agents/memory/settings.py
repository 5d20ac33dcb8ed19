"""What the memory agent is told by its environment."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr

from agents.runtime.settings import AgentSettings


class MemorySettings(AgentSettings):
    """Where it keeps what, and what makes vectors of texts."""

    directory: Path = Field(
        default=Path("memory"), validation_alias=AliasChoices("MEMORY_DIR", "HUB_DATA_DIR")
    )
    """Where ``memory.db`` is: the hub's data directory, if nothing else is said."""
    consent: bool = Field(default=False, validation_alias="MEMORY_CONSENT")
    """Whether a robot for which nobody has decided may remember."""

    backend: Literal["auto", "minilm", "openai", "words", "scripted"] = Field(
        default="auto", validation_alias="EMBED_BACKEND"
    )
    """``auto``: minilm if it is installed, else openai if it is told where, else words: no vectors,
    and documents are found by their words alone."""
    model: str = Field(default="", max_length=500, validation_alias="EMBED_MODEL")
    """Of minilm: a directory with a sentence-transformers model of the BERT family; empty: the one
    of the ``rag`` extra. Of openai: a name; empty: the first that the server lists."""
    base_url: str = Field(
        default="",
        pattern=r"^(https?://[\w.:\[\]-]+(/[^\s#]*)?)?$",
        validation_alias="EMBED_BASE_URL",
    )
    """Where an OpenAI-compatible server is, up to and with ``/v1``. The planner's server is not
    asked unless it is named here: few that chat can embed."""
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias="EMBED_API_KEY")
    dimensions: int = Field(default=0, ge=0, le=8_192, validation_alias="EMBED_DIMENSIONS")
    """Of openai's vectors; 0: as many as the model makes. Only some models can make fewer."""
    timeout_s: float = Field(default=20.0, gt=0, le=300, validation_alias="EMBED_TIMEOUT_S")
    """How long openai may take for a batch of texts."""
    threads: int = Field(default=1, ge=1, le=64, validation_alias="EMBED_THREADS")
    """Of minilm's matrices."""
