"""Which engine the planner runs on."""

from pkgutil import resolve_name

import structlog

from agents.planner.backends.auto import FirstThatStarts, OnceItStarts
from agents.planner.backends.base import MODELS, PLANNERS, Planner
from agents.planner.model_planner import ModelPlanner
from agents.planner.settings import REFLEX_ROLE, PlannerSettings
from agents.runtime.errors import BackendUnavailable

log = structlog.get_logger(__name__)


def chosen(settings: PlannerSettings) -> Planner:
    """The engine that ``settings`` name, not yet started.

    Raises:
        BackendUnavailable: this build does not have it, or it is not told where its server is.
    """
    if settings.role == REFLEX_ROLE:
        return _engine("reflex", "it is the standing second planner")
    match settings.backend:
        case "auto" if settings.base_url:
            return FirstThatStarts(_server(settings), resolve_name(PLANNERS["reflex"])())
        case "auto":
            return _engine("reflex", "no server is named by OPENAI_BASE_URL")
        case "openai":
            return OnceItStarts(_server(settings))
        case "reflex" | "scripted" as name:
            return _engine(name, "LLM_BACKEND names it")
        case name:
            raise BackendUnavailable(
                f"LLM_BACKEND={name} is not part of this build; use openai with OPENAI_BASE_URL"
                " for a server of that kind, or reflex"
            )


def _engine(name: str, reason: str) -> Planner:
    log.info("planner_chosen", backend=name, reason=reason)
    planner: Planner = resolve_name(PLANNERS[name])()
    return planner


def _server(settings: PlannerSettings) -> Planner:
    return ModelPlanner(resolve_name(MODELS["openai"]).from_settings(settings))
