"""Which engine the planner runs on, and why."""

from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name
from typing import NamedTuple

import structlog

from agents.engines.on_disk import missing
from agents.planner.backends.auto import Candidate, FirstThatStarts, OnceItStarts
from agents.planner.backends.base import MODELS, PLANNERS, Planner
from agents.planner.model_planner import ModelPlanner
from agents.planner.settings import REFLEX_ROLE, PlannerSettings
from agents.runtime.errors import BackendUnavailable

log = structlog.get_logger(__name__)


class Choice(NamedTuple):
    """A planner, not yet started, and the reason in words, known once it is."""

    planner: Planner
    reason: Callable[[], str]


def chosen(settings: PlannerSettings) -> Choice:
    """The engine that ``settings`` name.

    Raises:
        BackendUnavailable: its library is not installed, or it is not told where its server is.
    """
    if settings.role == REFLEX_ROLE:
        return _settled(_rules("reflex"), "it is the standing second planner")
    match settings.backend:
        case "auto":
            rules = Candidate("reflex", partial(_rules, "reflex"), "no language model can be had")
            first = FirstThatStarts([*thinking_candidates(settings), rules])
            return Choice(first, lambda: first.reason)
        case "reflex":
            return _settled(_rules("reflex"), "LLM_BACKEND=reflex")
        case "scripted":
            return _settled(scripted(settings), "LLM_BACKEND=scripted")
        case "openai" | "ollama" as name:
            return _settled(OnceItStarts(thinking(name, settings)), f"LLM_BACKEND={name}")
        case name:
            return _settled(thinking(name, settings), f"LLM_BACKEND={name}")


def thinking_candidates(settings: PlannerSettings) -> list[Candidate]:
    """The language models that ``auto`` chooses from, in order. It downloads nothing."""
    as_is = settings.model_copy(update={"auto_pull": False})
    ollama = f"{settings.ollama_url} answers and has {settings.ollama_model}"
    transformers = f"model {settings.hf_model} is on disk"
    return [
        Candidate("ollama", partial(thinking, "ollama", as_is), ollama),
        Candidate("openai", partial(_server, settings), f"{settings.base_url} answers"),
        Candidate("transformers", partial(_from_disk, settings), transformers),
    ]


def _server(settings: PlannerSettings) -> Planner:
    if not settings.base_url:
        raise BackendUnavailable("no server is named by OPENAI_BASE_URL")
    return thinking("openai", settings)


def _from_disk(settings: PlannerSettings) -> Planner:
    if lack := missing(settings.hf_model):
        raise BackendUnavailable(lack)
    return thinking("transformers", settings)


def thinking(name: str, settings: PlannerSettings) -> Planner:
    """A planner that thinks with the language model of engine ``name``, not yet started.

    Raises:
        BackendUnavailable: as ``chosen``.
    """
    model = resolve_name(MODELS[name])(settings)
    return ModelPlanner(model, warm_up=settings.warmup_llm)


def scripted(settings: PlannerSettings, model: str = "") -> Planner:
    """A planner of scripts that is called ``model``."""
    planner: Planner = resolve_name(PLANNERS["scripted"])(
        model=model,
        chat_pause_s=settings.scripted_pause_s,
        capacity=settings.scripted_capacity,
    )
    return planner


def _rules(name: str) -> Planner:
    planner: Planner = resolve_name(PLANNERS[name])()
    return planner


def _settled(planner: Planner, reason: str) -> Choice:
    log.info("planner_chosen", backend=planner.name, reason=reason)
    return Choice(planner, lambda: reason)
