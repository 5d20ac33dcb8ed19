"""Which engines this build has: one that is missing is refused before any process is started."""

from collections.abc import Iterable, Mapping

from hub.errors import EngineMissing
from protocols.messages.agent import AgentKind

ENGINES: Mapping[AgentKind, tuple[str, tuple[str, ...]]] = {
    AgentKind.STT: ("STT_BACKEND", ("auto", "faster_whisper", "pocketsphinx", "scripted")),
    AgentKind.PLANNER: ("LLM_BACKEND", ("auto", "openai", "reflex", "scripted")),
    AgentKind.TTS: ("TTS_BACKEND", ("auto", "espeak", "off", "scripted")),
}
"""For each kind of agent the setting that names its engine, and the names that can be meant."""


def check_engines(agents: Iterable[str], chosen: Mapping[str, str]) -> None:
    """Check the engines of ``agents`` (``kind`` or ``kind:role``); ``chosen`` holds the value of
    every setting. The standing reflex planner has its own.

    Raises:
        EngineMissing: this build does not have one of them.
    """
    kinds = {agent.partition(":")[0] for agent in agents if agent != "planner:reflex"}
    for kind, (setting, names) in ENGINES.items():
        if kind in kinds and chosen[setting] not in names:
            listed = f"{', '.join(names[:-1])} or {names[-1]}"
            raise EngineMissing(
                f"{setting}={chosen[setting]} is not part of this build; use {listed}"
            )
