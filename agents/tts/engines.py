"""Which engine tts speaks with."""

from pkgutil import resolve_name

import structlog

from agents.runtime.errors import BackendUnavailable
from agents.tts.backends.base import VOICES, Voice
from agents.tts.settings import TtsSettings

log = structlog.get_logger(__name__)


def chosen(settings: TtsSettings) -> Voice:
    """The engine that ``settings`` name, not yet started.

    Raises:
        BackendUnavailable: this build does not have it.
    """
    name = "espeak" if settings.backend == "auto" else settings.backend
    if name not in VOICES:
        raise BackendUnavailable(f"TTS_BACKEND={name} is not part of this build; use espeak or off")
    log.info("voice_chosen", backend=name, wanted=settings.backend)
    engine = resolve_name(VOICES[name])
    voice: Voice = engine(settings.voice, settings.rate_wpm) if name == "espeak" else engine()
    return voice
