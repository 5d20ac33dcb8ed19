"""Which engine vision answers chats with, and why."""

from functools import partial
from pkgutil import resolve_name
from typing import NamedTuple

from agents.engines.choosing import Candidate
from agents.engines.language.base import LanguageModel
from agents.vision.backends.auto import Chain
from agents.vision.backends.base import MODELS, BallFinder, Reader
from agents.vision.backends.embedded import EmbeddedModel
from agents.vision.backends.seeing import SeeingModel
from agents.vision.settings import VisionSettings


class Tools(NamedTuple):
    """What sees without a model."""

    reader: Reader
    finder: BallFinder


def chosen(settings: VisionSettings, tools: Tools) -> LanguageModel:
    """The engine that ``settings`` name, not yet started.

    Raises:
        BackendUnavailable: its library or its model is not there, or it is not told where its
            server is.
    """
    match settings.backend:
        case "auto":
            return chain(settings, tools)
        case "embedded":
            return EmbeddedModel(*tools)
        case name:
            return seeing(name, settings)


def chain(settings: VisionSettings, tools: Tools) -> Chain:
    """AuraOS's order: hosted OpenAI-compatible servers, Anthropic's, what is on this machine."""
    hosted = [
        _candidate("openai", settings, f"pictures go to {settings.base_url}"),
        _candidate("anthropic", settings, f"to {settings.anthropic_base_url}"),
    ]
    local = [
        _candidate("ollama", settings, f"{settings.ollama_url} has a model that sees"),
        _candidate("transformers", settings, f"model {settings.hf_model} is on disk"),
    ]
    last: Candidate[LanguageModel] = Candidate(
        "embedded", partial(EmbeddedModel, *tools), "no vision model can be had"
    )
    return Chain(hosted, local, last)


def seeing(name: str, settings: VisionSettings) -> SeeingModel:
    """The model of engine ``name``. Raises as ``chosen``."""
    return SeeingModel(resolve_name(MODELS[name])(settings))


def _candidate(name: str, settings: VisionSettings, reason: str) -> Candidate[LanguageModel]:
    return Candidate(name, partial(seeing, name, settings), reason)
