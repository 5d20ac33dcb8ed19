"""What Wespoke's clients are told of the hub."""

import pytest

from hub.edge.services import HubReport
from hub.edge.wespoke.about import gpu_answer, health_of, services_of
from protocols.messages.agent import AgentKind
from tests.hub.edge.conftest import Edge
from tests.hub.edge.wespoke.conftest import READY, agent

STT, PLANNER = agent(AgentKind.STT, model="base"), agent(AgentKind.PLANNER, "ollama", model="phi4")
REFLEX = agent(AgentKind.PLANNER, "reflex")


async def test_the_base_path_says_what_is_here(edge: Edge) -> None:
    answer = await edge.http.get("/wespoke/")
    assert answer.json() == {
        "service": "AI Services API", "version": "1.0.0", "status": "running", "docs": "/docs",
    }  # fmt: skip


@pytest.mark.parametrize("base", ["", "/wespoke"])
async def test_the_index_lists_services_and_endpoints(edge: Edge, base: str) -> None:
    body = (await edge.http.get(f"{base}/ai")).json()
    assert set(body) == {"services", "endpoints", "uptime"}
    assert body["uptime"] >= 0
    assert "/ai/process-audio" in body["endpoints"]


async def test_health_has_the_documented_shape(edge: Edge) -> None:
    body = (await edge.http.get("/ai/health")).json()
    assert body["uptime"] >= 0
    assert body == {
        "status": "healthy",
        "services": {"status": "healthy", "whisper": True, "ollama": True, "langchain": True},
        "gpu": {
            "gpu_available": False, "gpu_name": None, "memory_used": None,
            "memory_total": None, "utilization": None,
        },
        "uptime": body["uptime"],
        "version": "1.0.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("agents", "status"),
    [((STT, PLANNER), "healthy"), ((STT,), "degraded"), ((STT, REFLEX), "degraded"), ((), "error")],
)
def test_health_is_that_of_speech_and_of_the_model(agents: tuple[object, ...], status: str) -> None:
    assert health_of(HubReport(agents=agents), 1.0).status == status  # type: ignore[arg-type]


def test_the_gpu_is_told_as_it_is_measured() -> None:
    report = HubReport(gpu_name="RTX 4090", vram_total_gb=24.0, vram_free_gb=20.5)
    answer = gpu_answer(report, lambda package: "2.13.0+cu130")
    assert answer.model_dump() == {
        "gpu_metrics": {
            "gpu_available": True, "gpu_name": "RTX 4090", "memory_used": 3.5,
            "memory_total": 24.0, "utilization": None,
        },
        "additional_info": {
            "cuda_version": "13.0", "pytorch_version": "2.13.0+cu130",
            "device_count": 1, "current_device": 0,
        },
    }  # fmt: skip


async def test_without_a_gpu_that_is_the_answer(edge: Edge) -> None:
    answer = await edge.http.get("/ai/health/gpu")
    assert (answer.status_code, answer.json()) == (200, {"error": "No GPU available"})


async def test_every_service_is_told_of(edge: Edge) -> None:
    body = (await edge.http.get("/ai/health/services")).json()
    assert body == {
        "services": {
            "whisper": {"available": True, "device": "cpu"},
            "ollama": {"available": True, "host": "planner-1", "model": "qwen3:14b"},
            "langchain": {"available": True, "host": "memory-1"},
        },
        "overall_status": "healthy",
    }


def test_services_that_are_not_there_are_not_available() -> None:
    answer = services_of(HubReport(agents=(REFLEX,)))
    assert answer.overall_status == "degraded"
    assert not answer.services.ollama.available
    assert services_of(READY).overall_status == "healthy"
