"""The language models of this build on tiny weights."""

from pathlib import Path

from agents.engines.language.transformers import TransformersModel, TransformersOptions
from agents.engines.language.vllm import VllmDefaults, VllmModel
from agents.engines.vllm import VllmEngine, VllmOptions

SMALL_CACHE = 1 << 28


def vllm_options(weights: Path) -> VllmOptions:
    """What loads ``weights`` into little memory."""
    return VllmOptions(
        str(weights),
        dtype="float32",
        max_model_len=16_384,
        max_num_seqs=4,
        kv_cache_bytes=SMALL_CACHE,
    )


def vllm(weights: Path) -> VllmModel:
    """A model on vLLM that says the same again at the same prompt."""
    defaults = VllmDefaults(temperature=0.0, timeout_s=60.0)
    return VllmModel(VllmEngine(vllm_options(weights)), defaults)


def transformers(weights: Path, temperature: float = 0.0) -> TransformersModel:
    """A model on transformers, alike."""
    options = TransformersOptions(str(weights), temperature=temperature, timeout_s=120.0)
    return TransformersModel(options)
