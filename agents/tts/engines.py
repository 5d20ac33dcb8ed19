"""Which engine tts speaks with, and why."""

from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any, NamedTuple

from agents.runtime.errors import BackendUnavailable
from agents.tts.backends.base import VOICES, Voice
from agents.tts.models import find_kokoro
from agents.tts.settings import TtsSettings

_ORPHEUS_LIBRARIES = ("vllm", "snac")


class Choice(NamedTuple):
    """A voice, not yet started, its model in a word, and the reason in words."""

    voice: Voice
    model: str
    reason: str


def chosen(settings: TtsSettings) -> Choice:
    """The voice that ``settings`` name, with espeak-ng beside it where it may be busy or fail.

    Raises:
        BackendUnavailable: it is asked for by name and cannot work here.
    """
    named = f"TTS_BACKEND={settings.backend}"
    match settings.backend:
        case "auto":
            return _first_that_can_work(settings)
        case "openai":
            return _openai(settings, named)
        case "orpheus":
            return _orpheus(settings, named, must_start=True)
        case "kokoro":
            return _kokoro(settings, named, must_start=True)
        case "espeak":
            return _espeak(settings, named)
        case name:
            return Choice(_engine(name), "", named)


def _first_that_can_work(settings: TtsSettings) -> Choice:
    if settings.tts_base_url:
        return _openai(settings, "TTS_BASE_URL names a server")
    try:
        return _orpheus(settings, "the GPU has room for it", must_start=False)
    except BackendUnavailable as error:
        reasons = str(error)
    try:
        return _kokoro(settings, f"its model is on disk; {reasons}", must_start=False)
    except BackendUnavailable as error:
        return _espeak(settings, f"{reasons}; {error}")


def _espeak(settings: TtsSettings, reason: str) -> Choice:
    return Choice(_engine("espeak", settings.voice, settings.rate_wpm), settings.voice, reason)


def _openai(settings: TtsSettings, reason: str) -> Choice:
    base_url, api_key = settings.endpoint
    if not base_url:
        raise BackendUnavailable("TTS_BACKEND=openai needs TTS_BASE_URL or OPENAI_BASE_URL")
    voice = resolve_name(VOICES["openai"]).from_settings(settings, base_url, api_key)
    # A server that is away comes back; until then the other voice speaks.
    return Choice(_relieved(settings, voice, must_start=False), settings.openai_model, reason)


def _kokoro(settings: TtsSettings, reason: str, must_start: bool) -> Choice:
    files = find_kokoro(settings)
    voice = _engine(
        "kokoro",
        *files,
        voice=settings.kokoro_voice,
        speed=settings.speed,
        threads=settings.kokoro_threads,
    )
    return Choice(_relieved(settings, voice, must_start=must_start), files.model.name, reason)


def _orpheus(settings: TtsSettings, reason: str, must_start: bool) -> Choice:
    if refusal := settings.orpheus_refusal:
        raise BackendUnavailable(f"orpheus is disabled: {refusal}", f"orpheus_disabled_{refusal}")
    missing = [name for name in _ORPHEUS_LIBRARIES if find_spec(name) is None]
    if missing:
        raise BackendUnavailable(
            f"{' and '.join(missing)} not installed; install robot-hub[orpheus,vllm]"
        )
    voice = resolve_name(VOICES["orpheus"]).from_settings(settings)
    relieved = _relieved(
        settings, voice, must_start=must_start, threshold=settings.busy_queue_threshold
    )
    return Choice(relieved, settings.model_name, reason)


def _relieved(settings: TtsSettings, voice: Voice, **options: Any) -> Voice:
    relieved: Voice = resolve_name(VOICES["shedding"])(
        voice, _engine("espeak", settings.voice, settings.rate_wpm), **options
    )
    return relieved


def _engine(name: str, *args: object, **kwargs: object) -> Voice:
    voice: Voice = resolve_name(VOICES[name])(*args, **kwargs)
    return voice
