"""Which agent is meant when a model is to be loaded or unloaded, and whether it may be asked."""

from collections.abc import Iterable

from hub.errors import BadRequest, Busy, JobError
from hub.jobs.admission import AgentView
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.model import LoadState, ModelLoad, ModelUnload

MODEL_BUSY = "model_busy"
"""Code of an agent that loads another model already."""


class NoSuchKind(BadRequest):
    """There are no agents of that kind."""

    code = "unknown_kind"


class NoSuchAgent(JobError):
    """No agent of that kind and role serves this hub."""

    code = "no_such_agent"


class ModelMissing(JobError):
    """No agent has the model that a job asks for, or may load it."""

    code = "no_such_model"


class NoModels(JobError):
    """The agent's engine has no models to choose from."""

    code = "no_models"


def agent_for(
    agents: Iterable[AgentView], kind: str, role: str, order: ModelLoad | ModelUnload
) -> AgentView:
    """The agent that is to carry out ``order``.

    Raises:
        NoSuchKind, NoSuchAgent, NoModels: there is none that could.
        Busy: it loads a model already (``model_busy``); an unload may stop that.
    """
    if kind not in set(AgentKind):
        raise NoSuchKind(f"there is no agent of kind {kind!r}; kinds are {', '.join(AgentKind)}")
    linked = [a for a in agents if a.kind == kind and a.role == role]
    if not linked:
        raise NoSuchAgent(f"no {kind} with the role {role} serves this hub")
    agent = min(linked, key=lambda a: (a.state is not AgentState.READY, a.instance))
    if not agent.has_models:
        raise NoModels(f"{kind} runs on {agent.backend or 'an engine'}, which has no models")
    if agent.state is AgentState.LOADING:
        raise Busy(f"{kind} is starting", MODEL_BUSY)
    loading = agent.engine is not None and agent.engine.state is LoadState.LOADING
    if loading and isinstance(order, ModelLoad):
        raise Busy(f"{kind} is loading a model already", MODEL_BUSY)
    return agent
