"""What ``/health``, ``/readyz`` and ``/status`` say of the hub. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hub.edge.clock import Reading
from hub.edge.losses import losses_of
from hub.edge.services import CONVERSATION, EdgeFacts, HubReport
from hub.jobs.admission import AgentView, PlanAdmission
from hub.measures import lateness
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.model import LoadState

_WORKING = (AgentState.READY,)
_NOT_LOADED = (LoadState.UNLOADED, LoadState.FAILED)

_INTEGER = re.compile(r"-?\d{1,15}", re.ASCII)
_FRACTION = re.compile(r"-?\d{1,15}\.\d{1,15}", re.ASCII)

Json = dict[str, Any]


def agent_of(report: HubReport, kind: AgentKind, role: str = "primary") -> AgentView | None:
    """The best instance of a kind: a working one if there is any."""
    found = [a for a in report.agents if a.kind is kind and a.role == role]
    return min(found, key=lambda a: a.state not in _WORKING, default=None)


def is_ready(agent: AgentView | None) -> bool:
    """Whether it takes work."""
    return agent is not None and agent.state in _WORKING


def needed_of(agents: Iterable[str]) -> tuple[AgentKind, ...]:
    """What a hub with these agents (``kind`` or ``kind:role``) waits for: who holds conversations;
    for one that is there for its models alone, all of them."""
    kinds = tuple(dict.fromkeys(AgentKind(agent.partition(":")[0]) for agent in agents))
    return CONVERSATION if set(CONVERSATION) <= set(kinds) else kinds


def readiness(report: HubReport, facts: EdgeFacts) -> tuple[bool, Json]:
    """Whether the hub can do now what it is there for, and the body that says so."""
    ready = not report.draining and all(is_ready(agent_of(report, kind)) for kind in facts.needed)
    body = {
        "ready": ready,
        "draining": report.draining,
        "degraded": dict(report.degraded),
        "agents": _states(report),
    }
    return ready, body


def health(report: HubReport, facts: EdgeFacts, admission: PlanAdmission) -> tuple[bool, Json]:
    """Whether the language model is reachable, and robot-buddy's health document."""
    planner = agent_of(report, AgentKind.PLANNER)
    reachable = is_ready(planner)
    backend = planner.backend if planner is not None and planner.backend else facts.llm_backend
    model = (planner.model if planner is not None else "") or facts.llm_model
    orpheus = facts.orpheus.allowed and facts.tts_backend in ("auto", "orpheus")
    body = {
        "status": "ok" if reachable else "degraded",
        "bench": facts.bench,
        "recording": facts.recording,
        "model": model,
        "llm_model": model,
        "llm_backend": backend,
        "llm_engine_loaded": is_loaded(planner),
        "ollama": backend == "ollama" and reachable,
        "model_available": reachable,
        "auto_pull_ollama_model": facts.auto_pull_ollama_model,
        "resource_profile": "performance" if facts.performance_mode else "conservative",
        "performance_mode": facts.performance_mode,
        "orpheus_enabled": orpheus,
        "orpheus_vram_free_gb": report.vram_free_gb,
        "gpu_budget": _gpu_budget(facts, backend, orpheus),
        "plan_admission": {
            "max_inflight": admission.max_inflight,
            "inflight": admission.inflight,
            "admitted": admission.admitted,
            "rejected": admission.rejected,
        },
        "converse_sessions": _sessions(report),
        "ai": {"stt": _stt(report, facts), "tts": _tts(report, facts)},
        "llm": {
            **(_document(planner.info) if planner is not None else {}),
            "backend": backend,
            "model": model,
            "loaded": is_loaded(planner),
            "max_inflight": planner.capacity if planner is not None else 0,
            "active_generations": planner.active if planner is not None else 0,
        },
        "agents": _states(report),
    }
    return reachable, body


def _document(info: Mapping[str, str]) -> Json:
    """What an agent tells of itself, as JSON: ``a.b`` is the field ``b`` of ``a``, and numbers and
    truth are no text."""
    told: Json = {}
    for name, text in info.items():
        outer, _, inner = name.partition(".")
        if inner:
            told[outer] = {**told.get(outer, {}), inner: _value(text)}
        else:
            told[outer] = _value(text)
    return told


def _value(text: str) -> str | int | float | bool:
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


def status(
    report: HubReport,
    facts: EdgeFacts,
    counts: dict[str, int],
    clocks: Mapping[str, Reading],
    now_ns: int,
) -> Json:
    """What ``robot-hub status`` shows."""
    return {
        "hub_id": facts.hub_id,
        "version": facts.version,
        "bench": facts.bench,
        "tracing": facts.tracing,
        "recording": facts.recording,
        "violations": dict(report.violations),
        "ready": readiness(report, facts)[0],
        "draining": report.draining,
        "degraded": dict(report.degraded),
        "profiles_refused": dict(report.profiles_refused),
        "restarts": dict(report.restarts),
        "loop": lateness(report.measures.lag)._asdict(),
        "robots": sorted(report.robots),
        "clocks": {
            robot: {
                "offset_ms": reading.offset_ns / 1e6,
                "error_ms": reading.error_at(now_ns) / 1e6,
                "rtt_ms": reading.rtt_ns / 1e6,
            }
            for robot, reading in sorted(clocks.items())
        },
        "agents": _states(report),
        "sessions": _sessions(report),
        "losses": {kind: losses._asdict() for kind, losses in losses_of(report).items()},
        "counters": {**report.counters, **counts},
    }


def _states(report: HubReport) -> Json:
    return {
        agent.instance: {
            "kind": agent.kind.value,
            "role": agent.role,
            "state": agent.state.value,
            "backend": agent.backend,
            "model": agent.model,
            "capacity": agent.capacity,
            "active": agent.active,
            "info": dict(agent.info),
            "progress": agent.progress,
            "lag_ms": agent.lag_ms,
            "drops": dict(agent.drops),
            **_engine(agent),
        }
        for agent in sorted(report.agents, key=lambda a: a.instance)
    }


def _gpu_budget(facts: EdgeFacts, planner: str, orpheus: bool) -> Json:
    """What the engines that run or may run have declared to take of the GPU's memory."""
    llm_share = facts.llm_utilization if planner == "vllm" else None
    orpheus_share = facts.orpheus_utilization if orpheus else 0.0
    return {
        "qwen_backend": planner,
        "qwen_utilization": llm_share,
        "orpheus_utilization": orpheus_share,
        "combined_utilization": round((llm_share or 0.0) + orpheus_share, 4),
        "cap": facts.utilization_cap,
    }


def _engine(agent: AgentView) -> Json:
    """What an agent with models holds in memory; nothing is said of any other."""
    if agent.engine is None:
        return {}
    return {
        "model_state": agent.engine.state.value,
        "model_asked": agent.engine.model,
        "model_detail": agent.engine.detail,
        "memory_mib": agent.engine.memory_mib,
    }


def is_loaded(agent: AgentView | None) -> bool:
    """Whether its engine is in memory: an agent takes work without one, too, and loads it then."""
    if agent is None or agent.state not in _WORKING:
        return False
    return agent.engine is None or agent.engine.state not in _NOT_LOADED


def _sessions(report: HubReport) -> Json:
    numbers = report.sessions
    return {
        "active_sessions": numbers.active,
        "registered": numbers.registered,
        "preempted": numbers.preempted,
        "unregistered": numbers.unregistered,
        "stashed": numbers.stashed,
        "stash_hits": numbers.stash_hits,
        "stash_expired": numbers.stash_expired,
        "robots": sorted(report.robots),
    }


def _stt(report: HubReport, facts: EdgeFacts) -> Json:
    agent = agent_of(report, AgentKind.STT)
    if agent is None:
        return {"available": False}
    whisper = agent.backend == "faster_whisper"
    return {
        "model_size": agent.model or (facts.stt_model_size if whisper else ""),
        "device": agent.info.get("device") or (facts.stt_device if whisper else "cpu"),
        "compute_type": agent.info.get("compute_type")
        or (facts.stt_compute_type if whisper else ""),
        "loaded": is_loaded(agent),
        "backend": agent.backend,
    }


def _tts(report: HubReport, facts: EdgeFacts) -> Json:
    agent = agent_of(report, AgentKind.TTS)
    backend = _backend(report, AgentKind.TTS)
    return {
        "backend_pref": facts.tts_backend,
        "backend_active": backend or None,
        "model_name": facts.tts_model_name,
        "device": agent.info.get("device", "cpu") if agent is not None else None,
        "loaded": is_loaded(agent),
        "init_error": None if is_ready(agent) else _no_voice(facts),
        "hf_token_present": facts.hf_token_present,
        "espeak_available": "espeak" in (backend, agent.info.get("fallback") if agent else None),
        "performance_mode": facts.performance_mode,
        "orpheus_allowed": facts.orpheus.allowed,
        "orpheus_policy_reason": facts.orpheus.reason,
        "orpheus_voice": agent.info.get("voice", "") if agent is not None else "",
        "active_requests": agent.active if agent is not None else 0,
        "busy_queue_threshold": facts.tts_busy_queue_threshold,
    }


def _no_voice(facts: EdgeFacts) -> str:
    if facts.tts_backend == "orpheus" and not facts.orpheus.allowed:
        return f"orpheus_disabled_{facts.orpheus.reason}"
    return "tts_unavailable"


def _backend(report: HubReport, kind: AgentKind) -> str:
    agent = agent_of(report, kind)
    return agent.backend if agent is not None else ""
