"""What the edge is told of the settings."""

from hub.aliases import aliases_of
from hub.edge.health import needed_of
from hub.edge.services import EdgeFacts
from hub.settings import Settings


def facts_of(settings: Settings, hub_id: str, version: str) -> EdgeFacts:
    """The settings that the edge obeys or tells about, of this run of the hub."""
    return EdgeFacts(
        version=version,
        hub_id=hub_id,
        plan_timeout_s=settings.plan_timeout_s,
        plan_fallback=settings.plan_fallback,
        max_actions=settings.max_actions,
        needed=needed_of(settings.hub_agents),
        guard=settings.hub_guard,
        llm_backend=settings.llm_backend,
        llm_model=settings.vllm_model_name if settings.llm_backend == "vllm" else "",
        auto_pull_ollama_model=settings.auto_pull_ollama_model,
        performance_mode=settings.performance_mode,
        orpheus=settings.orpheus_policy,
        llm_utilization=settings.vllm_gpu_memory_utilization,
        orpheus_utilization=settings.orpheus_gpu_memory_utilization,
        utilization_cap=settings.gpu_utilization_cap,
        stt_model_size=settings.stt_model_size,
        stt_device=settings.stt_device,
        stt_compute_type=settings.stt_compute_type,
        tts_backend=settings.tts_backend,
        tts_model_name=settings.tts_model_name,
        tts_busy_queue_threshold=settings.tts_busy_queue_threshold,
        hf_token_present=settings.hf_token_present,
        max_connections=settings.hub_max_connections,
        cache_entries=settings.hub_cache_entries,
        cache_s=settings.hub_cache_s,
        aliases=aliases_of(settings.model_aliases),
        bench=settings.hub_bench,
        tracing=settings.trace_dir is not None,
        recording=settings.hub_record,
    )
