"""Fictures' view of the agents: the models that write and paint. Pure."""

from collections.abc import Iterable

from hub.edge.fictures.bodies import ImageModel, ListAnswer, ListedModel, ModelsAnswer, TextModel
from hub.edge.health import is_loaded
from hub.edge.model_names import has_model, held_by
from hub.jobs.admission import AgentView
from protocols.messages.agent import AgentKind, AgentState

MAX_MODEL_TOKENS = 4_096
"""Documented window of the text model, where an engine does not tell its own."""
_FRAMEWORKS = {"vllm": "vLLM"}


def models_of(agents: tuple[AgentView, ...]) -> ModelsAnswer:
    """``GET /api/v1/models``."""
    return ModelsAnswer(
        text_generation=[
            TextModel(
                name=name_of(agent),
                framework=_framework(agent),
                max_tokens=_window(agent),
                initialized=is_loaded(agent),
            )
            for agent in _serving(agents, AgentKind.PLANNER)
        ],
        image_generation=[
            ImageModel(
                name=name_of(agent),
                framework=_framework(agent),
                device=agent.info.get("device", "cpu"),
                initialized=is_loaded(agent),
            )
            for agent in _serving(agents, AgentKind.IMAGE_GEN)
        ],
    )


def listed(models: Iterable[TextModel | ImageModel]) -> ListAnswer:
    """``GET /api/v1/text/models`` and ``/images/models``."""
    return ListAnswer(
        models=[
            ListedModel(
                id=model.name,
                status="initialized" if model.initialized else "not_loaded",
                **model.model_dump(exclude={"initialized"}),
            )
            for model in models
        ]
    )


def name_of(agent: AgentView) -> str:
    """What an agent's model is called; its engine's name where that has none."""
    return held_by(agent) or agent.backend


def text_model(agents: tuple[AgentView, ...]) -> str:
    """The name of the model that writes; empty if there is none."""
    return next((name_of(agent) for agent in _serving(agents, AgentKind.PLANNER)), "")


def _serving(agents: tuple[AgentView, ...], kind: AgentKind) -> list[AgentView]:
    return [
        agent
        for agent in agents
        if agent.kind is kind
        and agent.role == "primary"
        and agent.state is AgentState.READY
        and has_model(agent)
    ]


def _framework(agent: AgentView) -> str:
    return _FRAMEWORKS.get(agent.backend, agent.backend)


def _window(agent: AgentView) -> int:
    said = agent.info.get("max_model_len", "")
    return int(said) if said.isascii() and said.isdigit() else MAX_MODEL_TOKENS
