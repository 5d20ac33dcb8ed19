"""AuraOS's view of the agents: which backend answers, and how it is called. Pure."""

from collections.abc import Iterable

from hub.edge.auraos.bodies import BackendEntry, HealthAnswer, ModelsAnswer
from hub.edge.model_names import has_model, held_by
from hub.errors import JobError
from hub.jobs.admission import AgentView
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.model import LoadState

NO_BACKEND = "No backend initialized"
STILL_LOADING = "Model still loading"
_KINDS = (AgentKind.VISION, AgentKind.PLANNER)
"""Whoever sees goes before whoever only writes: AuraOS is about screens."""


def engine_of(agents: Iterable[AgentView], kind: AgentKind) -> AgentView | None:
    """The agent of ``kind`` that answers: a ready one if there is any."""
    found = [a for a in agents if a.kind is kind and a.role == "primary" and has_model(a)]
    return min(found, key=lambda a: (a.state is not AgentState.READY, a.instance), default=None)


def backend_of(agents: Iterable[AgentView], kind: AgentKind) -> str:
    """The name of the backend that answers for ``kind``."""
    agent = engine_of(agents, kind)
    return agent.backend if agent is not None else ""


def health_of(agents: tuple[AgentView, ...]) -> HealthAnswer:
    """``GET /health``: who answers, and whether its model is in memory."""
    for kind in _KINDS:
        agent = engine_of(agents, kind)
        if agent is None:
            continue
        ready = agent.state is AgentState.READY
        unloaded = agent.engine is not None and agent.engine.state is not LoadState.READY
        return HealthAnswer(
            status="ok" if ready else "loading",
            backend=_named(agent) if ready else "none",
            model_loaded=ready and not unloaded,
        )
    return HealthAnswer(status="loading", backend="none", model_loaded=False)


def models_of(agents: tuple[AgentView, ...]) -> ModelsAnswer:
    """``GET /models``. The two backends of the document stand there always; both kinds of agents
    may run on one, whose text model then is ``NAME-text``."""
    backends = {
        "ollama": BackendEntry(available=False, model=None, type="vision"),
        "transformers": BackendEntry(available=False, model=None, type="text"),
    }
    current, taken = "none", set[str]()
    for kind in _KINDS:
        agent = engine_of(agents, kind)
        if agent is None or not agent.backend:
            continue
        name = f"{agent.backend}-text" if agent.backend in taken else agent.backend
        taken.add(agent.backend)
        ready = agent.state is AgentState.READY
        backends[name] = BackendEntry(
            available=ready,
            model=held_by(agent) or None,
            type="vision" if kind is AgentKind.VISION else "text",
        )
        if ready and current == "none":
            current = _named(agent)
    return ModelsAnswer(backends=backends, current=current)


def missing(agents: Iterable[AgentView], kind: AgentKind) -> str:
    """The sentence for that nobody of ``kind`` is there."""
    agent = engine_of(agents, kind)
    if agent is not None and agent.state is AgentState.LOADING:
        return STILL_LOADING
    return NO_BACKEND


def sentence_of(error: JobError, agents: Iterable[AgentView], kind: AgentKind) -> str:
    """What ``error`` of an agent of ``kind`` is told as."""
    return missing(agents, kind) if error.code == "agent_missing" else str(error)


def _named(agent: AgentView) -> str:
    model = held_by(agent)
    backend = agent.backend[:1].upper() + agent.backend[1:]
    return f"{backend}({model})" if model else backend
