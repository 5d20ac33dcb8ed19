"""Which recogniser stt runs on, and why."""

from pkgutil import resolve_name
from typing import NamedTuple

from agents.runtime.errors import BackendUnavailable
from agents.stt.backends.base import RECOGNISERS, Recogniser
from agents.stt.models import find_model
from agents.stt.settings import SttSettings


class Choice(NamedTuple):
    """A recogniser, not yet loaded, and the reason in words."""

    recogniser: Recogniser
    reason: str


def chosen(settings: SttSettings) -> Choice:
    """The recogniser that ``settings`` name.

    Raises:
        BackendUnavailable: faster-whisper is asked for by name and its model is not on disk.
    """
    match settings.backend:
        case "scripted":
            return Choice(_engine("scripted", settings.script), "STT_BACKEND=scripted")
        case "pocketsphinx":
            return Choice(_engine("pocketsphinx", settings.workers), "STT_BACKEND=pocketsphinx")
    model = find_model(settings.model_size, settings.models_dir)
    if model is not None:
        whisper = _engine(
            "faster_whisper",
            model,
            device=settings.device,
            compute_type=settings.compute_type,
            threads=settings.threads,
            workers=settings.workers,
        )
        return Choice(whisper, f"model {settings.model_size} is at {model}")
    missing = f"whisper model {settings.model_size} is not on disk"
    if settings.backend == "auto":
        return Choice(_engine("pocketsphinx", settings.workers), missing)
    raise BackendUnavailable(missing)


def _engine(name: str, *args: object, **kwargs: object) -> Recogniser:
    engine: Recogniser = resolve_name(RECOGNISERS[name])(*args, **kwargs)
    return engine
