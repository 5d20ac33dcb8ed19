"""The GPU budget: declared shares under a cap, Orpheus only where it fits, and both in ``/health``."""

from typing import Any

import pytest

from hub.commands.run import with_orpheus_policy
from hub.edge.health import health
from hub.edge.services import EdgeFacts, HubReport
from hub.errors import StartRefused
from hub.gpu import Reading
from hub.gpu_budget import (
    POLICIES,
    OrpheusPolicy,
    Share,
    overbooking,
    policy_for,
    policy_named,
    shares_of,
)
from hub.jobs.admission import PlanAdmission
from hub.registry import AgentInfo
from hub.settings import KNOWN_NAMES, load
from protocols.messages.agent import AgentKind, AgentState
from tests.fakes.gpu import FakeDriver, gpu

VLLM, ORPHEUS = "VLLM_GPU_MEMORY_UTILIZATION", "ORPHEUS_GPU_MEMORY_UTILIZATION"


@pytest.fixture(autouse=True)
def alone(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting but the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in KNOWN_NAMES | {"CUDA_VISIBLE_DEVICES"}:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("vllm", "orpheus", "cap", "sentence"),
    [
        (None, None, 0.80, ""),
        (0.35, 0.45, 0.80, ""),
        (0.34, 0.56, 0.90, ""),  # in binary their sum is a little more
        (0.35, None, 0.80, ""),
        (
            0.50,
            0.45,
            0.80,
            f"{VLLM} 0.50 + {ORPHEUS} 0.45 = 0.95 is above GPU_UTILIZATION_CAP 0.80",
        ),
        (
            0.36,
            0.45,
            0.80,
            f"{VLLM} 0.36 + {ORPHEUS} 0.45 = 0.81 is above GPU_UTILIZATION_CAP 0.80",
        ),
        (0.90, None, 0.80, f"{VLLM} 0.90 is above GPU_UTILIZATION_CAP 0.80"),
        (None, 0.55, 0.50, f"{ORPHEUS} 0.55 is above GPU_UTILIZATION_CAP 0.50"),
    ],
)
def test_shares_that_do_not_fit_are_spelled_out_in_one_sentence(
    vllm: float | None, orpheus: float | None, cap: float, sentence: str
) -> None:
    assert overbooking(shares_of(vllm=vllm, orpheus=orpheus), cap) == sentence


@pytest.mark.parametrize(
    ("environment", "sum_of"),
    [
        ({}, []),
        ({"LLM_BACKEND": "vllm"}, [VLLM]),
        ({"PERFORMANCE_MODE": "1"}, [ORPHEUS]),
        ({"LLM_BACKEND": "vllm", "PERFORMANCE_MODE": "1"}, [VLLM, ORPHEUS]),
        ({"LLM_BACKEND": "vllm", "PERFORMANCE_MODE": "1", "TTS_BACKEND": "espeak"}, [VLLM]),
        (
            {"LLM_BACKEND": "vllm", "PERFORMANCE_MODE": "1", "TTS_BACKEND": "orpheus"},
            [VLLM, ORPHEUS],
        ),
        ({"LLM_BACKEND": "vllm", "HUB_AGENTS": "ears,tts"}, []),
        ({"PERFORMANCE_MODE": "1", "HUB_AGENTS": "ears,planner"}, []),
        ({"LLM_BACKEND": "openai", "PERFORMANCE_MODE": "1", "TTS_BACKEND": "off"}, []),
    ],
)
def test_only_what_would_run_on_the_gpu_counts(
    environment: dict[str, str], sum_of: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert [share.setting for share in load().gpu_shares] == sum_of


def test_a_start_that_overbooks_the_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_BACKEND", "vllm")
    monkeypatch.setenv("PERFORMANCE_MODE", "1")
    monkeypatch.setenv(VLLM, "0.5")

    with pytest.raises(StartRefused, match=r"0\.50 \+ .* 0\.45 = 0\.95 is above .* 0\.80"):
        load()
    monkeypatch.setenv("GPU_UTILIZATION_CAP", "0.95")
    assert load().gpu_shares == (Share(VLLM, 0.5), Share(ORPHEUS, 0.45))


@pytest.mark.parametrize(
    ("performance", "free_gb", "reason"),
    [
        (False, 80.0, "performance_mode_disabled"),
        (False, None, "performance_mode_disabled"),
        (True, None, "unknown_free_vram"),
        (True, 0.0, "low_free_vram"),
        (True, 9.99, "low_free_vram"),
        (True, 10.0, "vram_budget_ok"),
    ],
)
def test_orpheus_runs_only_where_it_is_known_to_fit(
    performance: bool, free_gb: float | None, reason: str
) -> None:
    policy = policy_for(performance_mode=performance, free_gb=free_gb, min_free_gb=10.0)

    assert policy == OrpheusPolicy(reason == "vram_budget_ok", reason)
    assert policy_named(reason) == policy


def test_a_reason_that_nobody_knows_allows_nothing() -> None:
    assert policy_named("because") == OrpheusPolicy(False, "because")
    assert [reason for reason, allowed in POLICIES.items() if allowed] == ["vram_budget_ok"]


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "performance_mode_disabled"),
        ({"PERFORMANCE_MODE": "1"}, "low_free_vram"),
        ({"PERFORMANCE_MODE": "1", "ORPHEUS_MIN_FREE_VRAM_GB": "7.5"}, "vram_budget_ok"),
        ({"PERFORMANCE_MODE": "1", "CUDA_VISIBLE_DEVICES": "1"}, "vram_budget_ok"),
        ({"PERFORMANCE_MODE": "1", "CUDA_VISIBLE_DEVICES": "5"}, "unknown_free_vram"),
        ({"PERFORMANCE_MODE": "1", "HUB_ORPHEUS_POLICY": "vram_budget_ok"}, "low_free_vram"),
    ],
)
def test_what_is_free_before_the_start_decides_and_is_told_to_every_process(
    environment: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    settings = with_orpheus_policy(load(), FakeDriver(Reading((gpu(8.0), gpu(40.0)))))

    assert settings.orpheus_policy.reason == reason
    assert settings.child_environment()["HUB_ORPHEUS_POLICY"] == reason


def test_nobody_wakes_the_driver_for_a_hub_without_performance_mode() -> None:
    driver = FakeDriver(Reading((gpu(),)))

    with_orpheus_policy(load(), driver)

    assert driver.threads == []


def test_a_hub_that_was_told_nothing_does_not_know_what_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERFORMANCE_MODE", "1")

    assert load().orpheus_policy == OrpheusPolicy(False, "unknown_free_vram")


# what /health says


def ready(kind: AgentKind, backend: str) -> AgentInfo:
    return AgentInfo("one", kind, "primary", backend, AgentState.READY, capacity=1)


FITS = OrpheusPolicy(True, "vram_budget_ok")
LOW = OrpheusPolicy(False, "low_free_vram")


def body_of(facts: EdgeFacts, *agents: AgentInfo, free_gb: float | None = None) -> dict[str, Any]:
    report = HubReport(agents=agents, vram_free_gb=free_gb)
    admission = PlanAdmission(max_inflight=1, inflight=0, admitted=0, rejected=0)
    return health(report, facts, admission)[1]


def test_health_adds_up_what_the_engines_have_declared() -> None:
    vllm = ready(AgentKind.PLANNER, "vllm")
    body = body_of(EdgeFacts(orpheus=FITS), vllm, free_gb=3.25)

    assert body["gpu_budget"] == {
        "qwen_backend": "vllm",
        "qwen_utilization": 0.35,
        "orpheus_utilization": 0.45,
        "combined_utilization": 0.8,
        "cap": 0.8,
    }
    assert (body["orpheus_enabled"], body["orpheus_vram_free_gb"]) == (True, 3.25)
    assert body["ai"]["tts"]["orpheus_allowed"] is True
    assert body["ai"]["tts"]["orpheus_policy_reason"] == "vram_budget_ok"


def test_health_counts_no_engine_that_does_not_run() -> None:
    reflex = ready(AgentKind.PLANNER, "reflex")
    body = body_of(EdgeFacts(orpheus=LOW), reflex)

    budget = body["gpu_budget"]
    assert (budget["qwen_utilization"], budget["orpheus_utilization"]) == (None, 0.0)
    assert (body["orpheus_enabled"], body["orpheus_vram_free_gb"]) == (False, None)
    assert body["ai"]["tts"]["orpheus_policy_reason"] == "low_free_vram"


def test_orpheus_that_fits_and_is_not_wanted_takes_no_share() -> None:
    body = body_of(EdgeFacts(orpheus=FITS, tts_backend="espeak"))

    assert body["orpheus_enabled"] is False
    assert body["gpu_budget"]["orpheus_utilization"] == 0.0


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        (EdgeFacts(tts_backend="orpheus", orpheus=LOW), "orpheus_disabled_low_free_vram"),
        (EdgeFacts(tts_backend="orpheus", orpheus=FITS), "tts_unavailable"),
        (EdgeFacts(tts_backend="auto", orpheus=LOW), "tts_unavailable"),
    ],
)
def test_health_says_why_there_is_no_voice(facts: EdgeFacts, error: str) -> None:
    speaks = ready(AgentKind.TTS, "espeak")

    assert body_of(facts)["ai"]["tts"]["init_error"] == error
    assert body_of(facts, speaks)["ai"]["tts"]["init_error"] is None
