"""Which model a job is to ask for, by the name that its client gave. Pure."""

from collections.abc import Iterable, Mapping

from hub.jobs.admission import AgentView
from protocols.messages.agent import AgentKind, AgentState

RULES_ONLY = "reflex"
"""The backend of a planner that answers robots by rules, and has no language model."""


def has_model(agent: AgentView) -> bool:
    """Whether an agent does with a model what it does."""
    return agent.backend != RULES_ONLY


def held_by(agent: AgentView) -> str:
    """The model that an agent serves with, as jobs name it; empty if it has none."""
    return agent.engine.model if agent.engine is not None else agent.model


def model_for(
    name: str | None, kind: AgentKind, agents: Iterable[AgentView], aliases: Mapping[str, str]
) -> str:
    """The model of a job that agents of ``kind`` do; empty: whatever they hold.

    A name means what its alias says. One that a model is called by without its owner, or in other
    letters, means that model. Any other is handed on: an agent may load it, or there is none.
    """
    asked = (name or "").strip()
    asked = aliases.get(asked.lower(), asked)
    if not asked:
        return ""
    held = [
        held_by(agent)
        for agent in agents
        if agent.kind is kind and agent.role == "primary" and agent.state is AgentState.READY
    ]
    if asked in held:
        return asked
    alike = [model for model in held if _last(model) == _last(asked)]
    if alike and len(alike) == len(held):
        return ""
    return alike[0] if alike else asked


def _last(model: str) -> str:
    return model.rstrip("/").rsplit("/", 1)[-1].lower()
