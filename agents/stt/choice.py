"""Which recogniser stt runs on, and why."""

from pathlib import Path
from pkgutil import resolve_name
from typing import NamedTuple

from agents.runtime.errors import BackendUnavailable
from agents.stt.backends.base import RECOGNISERS, Recogniser
from agents.stt.downloads import Download
from agents.stt.models import find_model, is_offline
from agents.stt.settings import SttSettings
from agents.stt.waiting import OnceItStarts


class Choice(NamedTuple):
    """A recogniser, not yet loaded, and the reason in words."""

    recogniser: Recogniser
    reason: str


def chosen(settings: SttSettings) -> Choice:
    """The recogniser that ``settings`` name.

    Raises:
        BackendUnavailable: faster-whisper is asked for by name, its model is not on disk and must
            not be fetched; or openai is, and no server is named.
    """
    match settings.backend:
        case "scripted":
            return Choice(_engine("scripted", settings.script), "STT_BACKEND=scripted")
        case "pocketsphinx":
            return Choice(_engine("pocketsphinx", settings.workers), "STT_BACKEND=pocketsphinx")
        case "openai":
            return Choice(_server(settings), f"STT_BACKEND=openai at {settings.endpoint.base_url}")
    name = settings.model_size
    model = find_model(name, settings.models_dir)
    if model is not None:
        return Choice(_whisper(settings, model), f"model {name} is at {model}")
    missing = f"whisper model {name} is not on disk"
    if settings.backend == "auto":
        return Choice(_engine("pocketsphinx", settings.workers), missing)
    if forbidden := _why_not_fetched(settings):
        raise BackendUnavailable(
            f"{missing} and {forbidden}; `robot-hub models pull {name}` fetches it"
        )
    download = Download(name, settings.hub_token)
    return Choice(_whisper(settings, download), f"{missing} and is fetched")


def _why_not_fetched(settings: SttSettings) -> str:
    if not settings.download:
        return "STT_DOWNLOAD=0 forbids to fetch it"
    return "HF_HUB_OFFLINE forbids to fetch it" if is_offline() else ""


def _whisper(settings: SttSettings, model: Path | Download) -> Recogniser:
    is_path = Path(settings.model_size).is_dir()
    return _engine(
        "faster_whisper",
        model,
        name="" if is_path else settings.model_size,
        device=settings.device,
        compute_type=settings.compute_type,
        threads=settings.threads,
        workers=settings.workers,
        beam_size=settings.beam_size,
    )


def _server(settings: SttSettings) -> Recogniser:
    from agents.stt.backends.openai import Server

    server = Server(
        settings.endpoint.base_url,
        model=settings.openai_model,
        api_key=settings.endpoint.api_key,
        timeout_s=settings.timeout_s,
        partials=settings.openai_partials,
    )
    return OnceItStarts(_engine("openai", server))


def _engine(name: str, /, *args: object, **kwargs: object) -> Recogniser:
    engine: Recogniser = resolve_name(RECOGNISERS[name])(*args, **kwargs)
    return engine
