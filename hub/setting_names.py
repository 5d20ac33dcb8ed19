"""Which environment names mean something to Robot Hub, and what a misspelt one was meant to be.

pydantic-settings ignores a variable that it does not know, so that `SERVER_PROT=80` would change
nothing and say nothing. Names beginning with ``HUB_`` and the keys of ``.env`` are ours: an unknown
one is an error. Any other variable belongs to somebody else unless it looks like one of ours: then
it is worth a warning.
"""

from collections.abc import Iterable
from difflib import get_close_matches

OTHER_PROCESSES = frozenset(
    {
        "HUB_AGENT_ROLE", "HUB_BUS_DIR", "HUB_LOG_LEVEL", "HUB_LOG_JSON", "HUB_MODEL_WARMUP",
        "HUB_MODEL_IDLE_S", "EARS_BACKEND",
        "EARS_WAKE_BACKEND", "EARS_WAKE_WORDS", "EARS_WAKE_THRESHOLD",
        "EARS_TURN_MODEL", "EARS_SILENCE_MS", "EARS_MAX_UTTERANCE_MS", "EARS_CAPACITY",
        "STT_BACKEND", "STT_MODEL_SIZE", "STT_DEVICE", "STT_COMPUTE_TYPE", "STT_LANGUAGE",
        "STT_BEAM_SIZE", "STT_MODELS_DIR", "STT_THREADS", "STT_WORKERS", "STT_SCRIPT",
        "STT_DOWNLOAD", "STT_BASE_URL", "STT_API_KEY", "STT_OPENAI_MODEL", "STT_OPENAI_PARTIALS",
        "STT_TIMEOUT_S", "LLM_BACKEND", "LLM_MAX_INFLIGHT", "MODEL_NAME", "TEMPERATURE", "NUM_CTX",
        "WARMUP_LLM", "RB_LLM_STREAM", "OLLAMA_URL", "AUTO_PULL_OLLAMA_MODEL",
        "OLLAMA_PULL_TIMEOUT_S", "PLAN_KEEP_ALIVE", "CONVERSE_KEEP_ALIVE", "LLM_BASE_URL",
        "LLM_API_KEY", "LLM_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL",
        "OPENAI_TIMEOUT_S", "PLAN_TIMEOUT_S", "PLAN_MAX_INFLIGHT", "MAX_ACTIONS",
        "PERFORMANCE_MODE", "GPU_UTILIZATION_CAP", "TTS_BACKEND", "TTS_MODEL_NAME", "TTS_VOICE",
        "TTS_RATE_WPM", "TTS_BUSY_QUEUE_THRESHOLD", "TTS_MAX_UTTERANCE_S", "TTS_MODELS_DIR",
        "TTS_BASE_URL", "TTS_API_KEY", "TTS_TIMEOUT_S", "OPENAI_TTS_MODEL", "OPENAI_TTS_VOICE",
        "KOKORO_MODEL", "KOKORO_VOICES", "KOKORO_VOICE", "KOKORO_THREADS", "ORPHEUS_SNAC_MODEL",
        "ORPHEUS_GPU_MEMORY_UTILIZATION", "ORPHEUS_MAX_MODEL_LEN", "ORPHEUS_MAX_NUM_SEQS",
        "ORPHEUS_MAX_NUM_BATCHED_TOKENS", "ORPHEUS_IDLE_TIMEOUT_S", "ORPHEUS_TOTAL_TIMEOUT_S",
        "ORPHEUS_MIN_FREE_VRAM_GB", "ORPHEUS_VOICE", "MCP_PREAMBLE_ENABLED", "MCP_SERVER_URL",
        "SCRIPTED_PAUSE_S", "SCRIPTED_CAPACITY", "MCP_TOOL_BUDGET_MS", "MCP_SERVERS", "MCP_HOSTS", "MCP_ALLOW", "MCP_PINS_DIR", "LOG_TRANSCRIPTS", "HUGGINGFACE_HUB_TOKEN", "RECORDER_BACKEND",
        "RECORDER_DIR", "RECORDER_MAX_MIB", "FEELINGS_BACKEND", "FEELINGS_DIR",
        "FEELINGS_SESSION_LIMIT_S", "FEELINGS_DAILY_LIMIT_S", "FEELINGS_ENERGY",
        "FEELINGS_REACTIVITY", "FEELINGS_INITIATIVE", "FEELINGS_VULNERABILITY",
        "FEELINGS_PREDICTABILITY", "FEELINGS_SEED", "FEELINGS_CAPACITY",
        "MEMORY_DIR", "MEMORY_CONSENT", "EMBED_BACKEND",
        "EMBED_MODEL", "EMBED_BASE_URL", "EMBED_API_KEY", "EMBED_DIMENSIONS", "EMBED_TIMEOUT_S",
        "EMBED_THREADS", "AURAOS_HF_MODEL", "AURAOS_DEVICE",
        "VISION_BACKEND", "VISION_MODEL", "VISION_TIMEOUT_S", "VISION_TEMPERATURE",
        "VISION_BASE_URL", "VISION_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL", "AURAOS_INFERENCE_BACKEND", "OCR_THREADS",
        "IMAGE_BACKEND", "IMAGE_MODEL_NAME", "IMAGE_MODEL_PATH", "IMAGE_DEVICE", "IMAGE_DTYPE",
        "IMAGE_BASE_URL", "IMAGE_API_KEY", "IMAGE_OPENAI_MODEL", "IMAGE_TIMEOUT_S",
        "IMAGE_ATTENTION_SLICING", "IMAGE_GPU_MEMORY_UTILIZATION", "MAX_IMAGE_SIZE",
        "MODEL_CACHE_DIR",
        "DIFFUSERS_ENABLE_CPU_OFFLOAD",
        "WORKERS", "TEXT_MODEL_NAME", "TEXT_MODEL_PATH", "TEXT_MAX_MODEL_LEN",
        "TEXT_GPU_MEMORY_UTILIZATION", "MAX_PROMPT_LENGTH", "DEFAULT_TIMEOUT", "FLASK_ENV",
        "FLASK_DEBUG", "FLASK_PORT", "AURAOS_INFERENCE_URL", "STABILITY_MATRIX_URL",
        "LOCALAI_URL", "AI_SERVICES_URL", "USE_EXTERNAL_AI",
    }
)  # fmt: skip
"""Names that agents read, and names of the documents that a user may have in an old ``.env``.
A name in here is only *known*; what it does is its reader's business."""

LIBRARIES = ("VLLM_", "HF_", "CUDA_", "OMP_", "TORCH_", "PYTORCH_", "TRANSFORMERS_", "UV_", "PIP_")
"""Prefixes that belong to libraries: legal in ``.env``, never looked at for misspellings."""

_AS_GOOD_AS_CERTAIN = 0.85
_WORTH_A_HINT = 0.6


def unknown_names(names: Iterable[str], known: frozenset[str]) -> list[str]:
    """A sentence for every one of ``names`` that is no setting, with what was probably meant.

    For names that are ours alone: those beginning with ``HUB_``, and the keys of ``.env``.
    """
    return [
        f"{name} is no setting of Robot Hub{_hint(name, known)}"
        for name in sorted(names)
        if name.upper() not in known and not name.upper().startswith(LIBRARIES)
    ]


def likely_misspelt(names: Iterable[str], known: frozenset[str]) -> list[str]:
    """A sentence for every one of ``names`` that nearly is a setting.

    For the environment at large, where most names belong to other programs.
    """
    sentences = []
    for name in sorted(names):
        upper = name.upper()
        if upper in known or upper.startswith((*LIBRARIES, "HUB_")):
            continue
        if near := get_close_matches(upper, known, n=1, cutoff=_AS_GOOD_AS_CERTAIN):
            sentences.append(f"{name} is no setting and is ignored; is {near[0]} meant?")
    return sentences


def _hint(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name.upper(), sorted(known), n=1, cutoff=_WORTH_A_HINT)
    return f"; is {near[0]} meant?" if near else ""
