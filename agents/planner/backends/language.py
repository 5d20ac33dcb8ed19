"""The language models that the planner's settings name; each engine is imported when it is chosen."""

from agents.engines.language.base import LanguageModel
from agents.planner.settings import PlannerSettings
from agents.runtime.errors import BackendUnavailable


def openai(settings: PlannerSettings) -> LanguageModel:
    """The server that the settings name, or several, the first that is healthy first.

    Raises:
        BackendUnavailable: they name none.
    """
    from agents.engines.language.failover import Failover
    from agents.engines.language.openai import OpenAiModel, Server

    models = [
        OpenAiModel(Server(*server, settings.timeout_s, settings.temperature))
        for server in settings.servers
    ]
    if not models:
        raise BackendUnavailable("LLM_BACKEND=openai needs OPENAI_BASE_URL")
    return models[0] if len(models) == 1 else Failover(models)


def ollama(settings: PlannerSettings) -> LanguageModel:
    """The Ollama server and the model that the settings name."""
    from agents.engines.language.ollama import OllamaModel, Server

    return OllamaModel(
        Server(
            base_url=settings.ollama_url,
            model=settings.ollama_model,
            auto_pull=settings.auto_pull,
            pull_timeout_s=settings.pull_timeout_s,
            answer_keep_alive=settings.converse_keep_alive,
            plan_keep_alive=settings.plan_keep_alive,
            plan_timeout_s=settings.plan_timeout_s,
            num_ctx=settings.num_ctx,
            temperature=settings.temperature,
        )
    )


def transformers(settings: PlannerSettings) -> LanguageModel:
    """The model on disk that the settings name."""
    from agents.engines.language.transformers import TransformersModel, TransformersOptions

    return TransformersModel(
        TransformersOptions(
            model=settings.hf_model,
            device=settings.hf_device,
            load_in_8bit=settings.hf_load_in_8bit,
            temperature=settings.temperature,
            timeout_s=settings.timeout_s,
        )
    )


def vllm(settings: PlannerSettings) -> LanguageModel:
    """The model that the ``VLLM_`` settings name."""
    from agents.engines.language.vllm import VllmDefaults, VllmModel
    from agents.engines.vllm import VllmEngine, VllmOptions

    options = VllmOptions(
        model=settings.vllm_model_name,
        dtype=settings.vllm_dtype,
        quantization=settings.vllm_quantization,
        gpu_memory_utilization=settings.vllm_gpu_memory_utilization,
        max_model_len=settings.vllm_max_model_len,
        max_num_seqs=settings.vllm_max_num_seqs,
        max_num_batched_tokens=settings.vllm_max_num_batched_tokens,
        tensor_parallel_size=settings.vllm_tensor_parallel_size,
    )
    defaults = VllmDefaults(
        temperature=settings.vllm_temperature,
        max_output_tokens=settings.vllm_max_output_tokens,
        timeout_s=settings.vllm_timeout_s,
        enable_thinking=settings.vllm_enable_thinking,
    )
    return VllmModel(VllmEngine(options), defaults)
