"""What makes vectors of texts here, and why."""

from typing import NamedTuple

from agents.memory.settings import MemorySettings

WORDS = "words"
"""The choice of no embedder."""


class Choice(NamedTuple):
    """The name of an embedder, or ``words``, and the reason in words. One that ``must_start`` was
    asked for by name and needs nothing that could come later."""

    name: str
    reason: str
    must_start: bool = False


def chosen(settings: MemorySettings) -> Choice:
    """What ``settings`` name; loads nothing."""
    match settings.backend:
        case "auto":
            return _first(settings)
        case "openai" | "words" as name:
            return Choice(name, f"EMBED_BACKEND={name}")
        case name:
            return Choice(name, f"EMBED_BACKEND={name}", must_start=True)


def _first(settings: MemorySettings) -> Choice:
    from agents.memory.backends.minilm import missing

    lack = missing(settings.model)
    if not lack:
        return Choice("minilm", "it is installed")
    if settings.base_url:
        return Choice("openai", f"{settings.base_url} is set; {lack}")
    return Choice(WORDS, f"{lack}; EMBED_BASE_URL is not set")
