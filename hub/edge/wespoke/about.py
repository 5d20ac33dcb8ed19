"""Wespoke's view of the hub: which services there are, how they are, what GPU they have. Pure."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from pydantic import BaseModel

from hub.edge.health import agent_of, is_ready
from hub.edge.model_names import has_model, held_by
from hub.edge.services import HubReport
from hub.jobs.admission import AgentView
from protocols.messages.agent import AgentKind

NAME, VERSION = "AI Services API", "1.0.0"
SERVICES = ("whisper", "ollama", "langchain")
ENDPOINTS = (
    "/ai/process-audio", "/ai/transcribe", "/ai/generate", "/ai/chat", "/ai/rag",
    "/ai/knowledge", "/ai/stream", "/ai/health", "/ai/health/gpu", "/ai/health/services",
)  # fmt: skip
NO_GPU = "No GPU available"


class RootAnswer(BaseModel):
    """Answer of ``GET /``."""

    service: str
    version: str
    status: Literal["running"] = "running"
    docs: str = "/docs"


class IndexAnswer(BaseModel):
    """Answer of ``GET /ai``; ``uptime`` in seconds."""

    services: list[str]
    endpoints: list[str]
    uptime: float


class ServiceStates(BaseModel):
    """Which services work: ears (speech recognition), the language model, retrieval."""

    status: Literal["healthy", "degraded", "error"]
    whisper: bool
    ollama: bool
    langchain: bool


class GpuState(BaseModel):
    """The GPU that engines use; memory in GB (2³⁰ bytes)."""

    gpu_available: bool
    gpu_name: str | None
    memory_used: float | None
    memory_total: float | None
    utilization: float | None = None


class HealthAnswer(BaseModel):
    """Answer of ``GET /ai/health``; always 200."""

    status: Literal["healthy", "degraded", "error"]
    services: ServiceStates
    gpu: GpuState
    uptime: float
    version: str


class GpuDetails(BaseModel):
    """What is known of the software around the GPU."""

    cuda_version: str | None
    pytorch_version: str | None
    device_count: int
    current_device: int


class GpuAnswer(BaseModel):
    """Answer of ``GET /ai/health/gpu``."""

    gpu_metrics: GpuState
    additional_info: GpuDetails


class NoGpuAnswer(BaseModel):
    """The same where there is none."""

    error: str


class WhisperState(BaseModel):
    """Speech recognition."""

    available: bool
    device: str | None


class OllamaState(BaseModel):
    """The language model, whatever serves it."""

    available: bool
    host: str | None
    model: str | None


class LangchainState(BaseModel):
    """Retrieval: the memory agent."""

    available: bool
    host: str | None


class EachService(BaseModel):
    """All of them."""

    whisper: WhisperState
    ollama: OllamaState
    langchain: LangchainState


class ServicesAnswer(BaseModel):
    """Answer of ``GET /ai/health/services``."""

    services: EachService
    overall_status: Literal["healthy", "degraded"]


def installed(package: str) -> str | None:
    """The version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def health_of(report: HubReport, uptime_s: float) -> HealthAnswer:
    """``GET /ai/health``. ``healthy`` if one can speak and be answered; retrieval is an extra."""
    heard = is_ready(agent_of(report, AgentKind.STT))
    thinks = _thinks(agent_of(report, AgentKind.PLANNER))
    status: Literal["healthy", "degraded", "error"] = "error"
    if heard or thinks:
        status = "healthy" if heard and thinks else "degraded"
    states = ServiceStates(
        status=status,
        whisper=heard,
        ollama=thinks,
        langchain=is_ready(agent_of(report, AgentKind.MEMORY)),
    )
    return HealthAnswer(
        status=status,
        services=states,
        gpu=gpu_of(report),
        uptime=uptime_s,
        version=VERSION,
    )


def gpu_of(report: HubReport) -> GpuState:
    """The GPU as it is measured; nothing that is not."""
    total, free = report.vram_total_gb, report.vram_free_gb
    if total is None or free is None:
        return GpuState(gpu_available=False, gpu_name=None, memory_used=None, memory_total=None)
    return GpuState(
        gpu_available=True,
        gpu_name=report.gpu_name or None,
        memory_used=round(total - free, 2),
        memory_total=total,
    )


def gpu_answer(
    report: HubReport, package: Callable[[str], str | None] = installed
) -> GpuAnswer | NoGpuAnswer:
    """``GET /ai/health/gpu``. ``package`` tells the version of an installed one."""
    gpu = gpu_of(report)
    if not gpu.gpu_available:
        return NoGpuAnswer(error=NO_GPU)
    torch = package("torch")
    details = GpuDetails(
        cuda_version=_cuda_of(torch), pytorch_version=torch, device_count=1, current_device=0
    )
    return GpuAnswer(gpu_metrics=gpu, additional_info=details)


def services_of(report: HubReport) -> ServicesAnswer:
    """``GET /ai/health/services``."""
    ears = agent_of(report, AgentKind.STT)
    planner = agent_of(report, AgentKind.PLANNER)
    memory = agent_of(report, AgentKind.MEMORY)
    each = EachService(
        whisper=WhisperState(available=is_ready(ears), device=_device(ears)),
        ollama=OllamaState(
            available=_thinks(planner),
            host=planner.instance if planner is not None else None,
            model=(held_by(planner) or None) if planner is not None else None,
        ),
        langchain=LangchainState(
            available=is_ready(memory), host=memory.instance if memory is not None else None
        ),
    )
    well = each.whisper.available and each.ollama.available
    return ServicesAnswer(services=each, overall_status="healthy" if well else "degraded")


def _thinks(planner: AgentView | None) -> bool:
    """Whether there is a language model: rules answer robots, and nobody else."""
    return planner is not None and is_ready(planner) and has_model(planner)


def _device(agent: AgentView | None) -> str | None:
    if agent is None:
        return None
    return agent.info.get("device") or "cpu"


def _cuda_of(torch: str | None) -> str | None:
    """The CUDA that PyTorch was built for, by its version: ``2.13.0+cu130`` is 13.0."""
    built = (torch or "").partition("+cu")[2]
    return f"{built[:-1]}.{built[-1]}" if built.isdecimal() and len(built) > 1 else None
