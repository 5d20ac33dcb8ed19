"""What tts is told by its environment."""

from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, SecretStr

from agents.runtime.settings import AgentSettings

ORPHEUS_ALLOWED = "vram_budget_ok"
"""What ``HUB_ORPHEUS_POLICY`` says if Orpheus may run; anything else is the reason why not."""
_ADDRESS = r"^(https?://[\w.:\[\]-]+(/\S*)?)?$"
_VOICE_NAME = r"^[A-Za-z0-9._+-]{1,64}$"
USUAL_WPM = 165


class Endpoint(NamedTuple):
    """A server, and the key that it may see."""

    base_url: str
    api_key: str


class TtsSettings(AgentSettings):
    """See ``agents/tts/prosody.py`` for what a feeling changes about these."""

    backend: Literal["auto", "orpheus", "kokoro", "openai", "espeak", "off", "scripted"] = Field(
        default="auto", validation_alias="TTS_BACKEND"
    )
    """``auto`` takes the first that can work: openai if ``TTS_BASE_URL`` is set, orpheus, kokoro if
    its model is on disk, espeak-ng, which every installation has."""
    voice: str = Field(
        default="en-us", pattern=r"^[A-Za-z0-9+_-]{1,32}$", validation_alias="TTS_VOICE"
    )
    """Of espeak-ng; the others have their own."""
    rate_wpm: int = Field(default=USUAL_WPM, ge=80, le=450, validation_alias="TTS_RATE_WPM")
    """Words per minute of a neutral voice. Those that do not count them speak as much faster as
    this is more than the default."""
    busy_queue_threshold: int = Field(default=0, ge=0, validation_alias="TTS_BUSY_QUEUE_THRESHOLD")
    """Phrases that orpheus speaks beside the first; espeak-ng speaks any others."""
    models_dir: Path | None = Field(default=None, validation_alias="TTS_MODELS_DIR")
    """Where voices are looked for by name, before the model hub's own cache."""

    tts_base_url: str = Field(default="", pattern=_ADDRESS, validation_alias="TTS_BASE_URL")
    """Where an OpenAI-compatible server speaks, up to and with ``/v1``. Empty: the first of
    ``OPENAI_BASE_URL``, where the planner's servers are."""
    tts_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="TTS_API_KEY")
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    openai_tts_model: str = Field(default="", validation_alias="OPENAI_TTS_MODEL")
    """Empty: ``TTS_MODEL_NAME`` if that is set, else ``tts-1``."""
    openai_voice: str = Field(
        default="alloy", pattern=_VOICE_NAME, validation_alias="OPENAI_TTS_VOICE"
    )
    openai_timeout_s: float = Field(default=60.0, gt=0, le=300, validation_alias="TTS_TIMEOUT_S")
    """How long the server may be waited for in all, for a piece of text."""

    kokoro_model: Path | None = Field(default=None, validation_alias="KOKORO_MODEL")
    """The model as ONNX. Not set: see ``agents/tts/models.py``."""
    kokoro_voices: Path | None = Field(default=None, validation_alias="KOKORO_VOICES")
    """Its voices: one file of all, or a directory of one file each."""
    kokoro_voice: str = Field(
        default="af_heart", pattern=_VOICE_NAME, validation_alias="KOKORO_VOICE"
    )
    kokoro_threads: int = Field(default=0, ge=0, le=64, validation_alias="KOKORO_THREADS")
    """Threads of an inference; 0: as many as there are cores."""

    performance_mode: bool = Field(default=False, validation_alias="PERFORMANCE_MODE")
    orpheus_policy: str = Field(default="", validation_alias="HUB_ORPHEUS_POLICY")
    """What ``robot-hub run`` found out about the GPU before any engine started. Not for people."""
    model_name: str = Field(
        default="canopylabs/orpheus-3b-0.1-ft", min_length=1, validation_alias="TTS_MODEL_NAME"
    )
    """A directory, or a name in the cache of the model hub."""
    snac_model: str = Field(
        default="hubertsiuzdak/snac_24khz", min_length=1, validation_alias="ORPHEUS_SNAC_MODEL"
    )
    orpheus_voice: str = Field(
        default="tara", pattern=r"^[A-Za-z]{1,32}$", validation_alias="ORPHEUS_VOICE"
    )
    orpheus_gpu_memory_utilization: float = Field(
        default=0.45, ge=0.05, le=0.95, validation_alias="ORPHEUS_GPU_MEMORY_UTILIZATION"
    )
    orpheus_max_model_len: int = Field(
        default=8192, ge=2048, validation_alias="ORPHEUS_MAX_MODEL_LEN"
    )
    orpheus_max_num_seqs: int = Field(default=8, ge=1, validation_alias="ORPHEUS_MAX_NUM_SEQS")
    orpheus_max_num_batched_tokens: int = Field(
        default=512, ge=16, validation_alias="ORPHEUS_MAX_NUM_BATCHED_TOKENS"
    )
    orpheus_idle_timeout_s: float = Field(
        default=8.0, gt=0, le=300, validation_alias="ORPHEUS_IDLE_TIMEOUT_S"
    )
    orpheus_total_timeout_s: float = Field(
        default=60.0, gt=0, le=600, validation_alias="ORPHEUS_TOTAL_TIMEOUT_S"
    )
    """Both of a piece of text; only what is waited for the engine counts."""
    max_utterance_s: float = Field(
        default=15.0, ge=1, le=60, validation_alias="TTS_MAX_UTTERANCE_S"
    )
    """How long orpheus may speak a piece of text: what goes on after that is babble."""

    @property
    def speed(self) -> float:
        """How much faster than usual a neutral voice speaks."""
        return self.rate_wpm / USUAL_WPM

    @property
    def endpoint(self) -> Endpoint:
        """The server of ``openai``. A key of the planner's servers goes to no other server."""
        own_key = self.tts_api_key.get_secret_value()
        if self.tts_base_url:
            return Endpoint(self.tts_base_url, own_key)
        first = self.openai_base_url.partition(",")[0].partition("#")[0].strip()
        shared_key = self.openai_api_key.get_secret_value().partition(",")[0].strip()
        return Endpoint(first, own_key or shared_key)

    @property
    def openai_model(self) -> str:
        """The model of ``openai``."""
        named = self.model_name if "model_name" in self.model_fields_set else ""
        return self.openai_tts_model or named or "tts-1"

    @property
    def orpheus_refusal(self) -> str:
        """Why Orpheus may not run, in the words of ``/health``; empty if it may.

        A tts that was not started by ``robot-hub run`` does not know what the GPU had free.
        """
        if not self.performance_mode:
            return "performance_mode_disabled"
        reason = self.orpheus_policy or "unknown_free_vram"
        return "" if reason == ORPHEUS_ALLOWED else reason
