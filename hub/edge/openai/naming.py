"""Which model a client means, by the name it gives: one that the hub has, an alias, or the name of a
hosted model that stands for whatever the hub has of that trade. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

from hub.edge.model_names import held_by, model_for
from hub.jobs.admission import AgentView
from protocols.errors import HubError
from protocols.messages.agent import AgentKind, AgentState

EVERY_NAME = "*"
"""An alias of this name stands for all names that mean nothing else: ``MODEL_ALIASES=*=``."""

_CHAT = re.compile(
    r"(gpt|chatgpt|o[1-9]|davinci|babbage)\b(?!.*(transcribe|tts|image|realtime|audio)).*"
)
HOSTED: Mapping[AgentKind, re.Pattern[str]] = {
    AgentKind.PLANNER: _CHAT,
    AgentKind.VISION: _CHAT,
    AgentKind.MEMORY: re.compile(r"text-embedding-.*"),
    AgentKind.IMAGE_GEN: re.compile(r"(dall-e|gpt-image|chatgpt-image)-.*"),
    AgentKind.STT: re.compile(r"whisper-1|gpt-4o(-mini)?-transcribe.*"),
    AgentKind.TTS: re.compile(r"tts-1.*|gpt-4o-mini-tts.*"),
}
"""Names of hosted models that programs have written into them, by who does here what they do."""

KINDS = tuple(HOSTED)


class UnknownModel(HubError):
    """Nothing here is called so."""

    code = "model_not_found"


def model_id(agent: AgentView) -> str:
    """What an agent's model is called; its engine's name where that has no models."""
    return held_by(agent) or agent.backend


def serving(agents: Iterable[AgentView], kind: AgentKind) -> list[AgentView]:
    """The agents of a kind that do jobs."""
    return [
        agent
        for agent in agents
        if agent.kind is kind and agent.role == "primary" and agent.state is AgentState.READY
    ]


def model_named(
    name: str, kind: AgentKind, agents: Sequence[AgentView], aliases: Mapping[str, str]
) -> str:
    """The model of a job that agents of ``kind`` do; empty: whatever they hold.

    Raises:
        UnknownModel: ``name`` is none of theirs, no alias and no hosted model of that trade.
    """
    asked = name.strip()
    here = serving(agents, kind)
    exact = [agent for agent in here if model_id(agent) == asked]
    if exact:
        return held_by(exact[0])
    found = model_for(asked, kind, agents, aliases)
    if asked.lower() in aliases or found in ("", *map(held_by, here)):
        return found
    if HOSTED[kind].fullmatch(asked.lower()):
        return ""
    if EVERY_NAME in aliases:
        return aliases[EVERY_NAME]
    there = ", ".join(sorted({model_id(agent) for agent in here})) or "none"
    raise UnknownModel(f"there is no model {asked!r} for this; there is: {there}")


def chat_model_named(
    name: str, shows: bool, agents: Sequence[AgentView], aliases: Mapping[str, str]
) -> tuple[AgentKind, str]:
    """Who goes on with a chat, and its model. Pictures are vision's, whatever the planner's model
    can do; a chat without is vision's only if it asks for vision's model.

    Raises:
        UnknownModel: as ``model_named``.
    """
    first, second = AgentKind.PLANNER, AgentKind.VISION
    if shows:
        first, second = second, first
    try:
        return first, model_named(name, first, agents, aliases)
    except UnknownModel as error:
        try:
            other = model_named(name, second, agents, aliases)
        except UnknownModel:
            raise error from None
    return (first, "") if shows else (second, other)
