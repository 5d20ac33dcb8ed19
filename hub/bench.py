"""Bench mode: the whole stack with engines that follow marks in the microphone audio, so that any
client can drive a hub and measure it (``protocols/README.md``, "Bench mode")."""

from hub.settings import Settings

AGENTS = ("ears", "stt", "planner", "tts")
"""Unless others are named. No standing reflex planner: a scripted one never fails."""


def with_scripted_engines(settings: Settings) -> Settings:
    """``settings`` under which every agent runs its scripted engine, whatever they named."""
    scripted: dict[str, object] = {
        f"{agent}_backend": "scripted"
        for agent in ("ears", "stt", "llm", "tts", "vision", "image", "embed")
    }
    if "hub_agents" not in settings.model_fields_set:
        scripted["hub_agents"] = AGENTS
    return settings.model_copy(update=scripted)
