"""How many jobs an agent may have at once. Speech and plans do not queue: beyond the limit the
answer is *busy*."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.model import ModelState

SERVED_ONE_AT_A_TIME = frozenset({"vllm", "ollama", "orpheus"})
"""Backends that the documents' limits bind; every other has the capacity it announces."""


class AgentView(Protocol):
    """An agent as the registry sees it."""

    @property
    def instance(self) -> str: ...
    @property
    def kind(self) -> AgentKind: ...
    @property
    def role(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def capacity(self) -> int: ...
    @property
    def active(self) -> int: ...
    @property
    def state(self) -> AgentState: ...
    @property
    def model(self) -> str: ...
    @property
    def info(self) -> Mapping[str, str]: ...
    @property
    def progress(self) -> str: ...
    @property
    def has_models(self) -> bool: ...
    @property
    def engine(self) -> ModelState | None: ...
    @property
    def lag_ms(self) -> float: ...
    @property
    def drops(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class PlanAdmission:
    """Numbers of the plan gate."""

    max_inflight: int
    inflight: int = 0
    admitted: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class JobLimits:
    """Settings ``PLAN_MAX_INFLIGHT``, ``LLM_MAX_INFLIGHT``, ``TTS_BUSY_QUEUE_THRESHOLD`` and
    ``PLAN_FALLBACK``."""

    plan_max_inflight: int = 1
    llm_max_inflight: int = 1
    tts_busy_queue_threshold: int = 0
    plan_falls_back: bool = False


def slots(
    kind: AgentKind, backend: str, capacity: int, limits: JobLimits, *, sheds: bool = False
) -> int:
    """How many jobs an instance takes at once. One that ``sheds`` has another engine for what
    would be too much for the first."""
    if sheds or backend not in SERVED_ONE_AT_A_TIME:
        return max(1, capacity)
    if kind is AgentKind.TTS:
        return limits.tts_busy_queue_threshold + 1
    return limits.llm_max_inflight


def plan_slots(backend: str, of: int, limits: JobLimits) -> int:
    """How many of an instance's slots plans may have."""
    return min(of, limits.plan_max_inflight) if backend in SERVED_ONE_AT_A_TIME else of
