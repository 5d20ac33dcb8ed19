"""Which engines ears runs on, and all of them as one backend."""

import importlib.util
from pkgutil import resolve_name

import structlog

from agents.ears.backends.base import (
    ACTIVITIES,
    TURN_MODELS,
    WAKE_WORDS,
    TurnModel,
    VoiceActivity,
    WakeWord,
)
from agents.ears.settings import EarsSettings

log = structlog.get_logger(__name__)


class Engines:
    """Voice activity and, where there are any, the turn model and the wake word's."""

    def __init__(
        self, activity: VoiceActivity, turn_model: TurnModel | None, wake: WakeWord | None = None
    ) -> None:
        self.activity = activity
        self.turn_model = turn_model
        self.wake = wake
        self._all = [one for one in (activity, turn_model, wake) if one is not None]
        self.name = "+".join(dict.fromkeys(one.name for one in self._all))

    async def start(self) -> None:
        """Load them; raise what they raise."""
        for one in self._all:
            await one.start()

    async def close(self) -> None:
        """Free them."""
        for one in self._all:
            await one.close()


def chosen(settings: EarsSettings) -> Engines:
    """The engines that ``settings`` name, not yet loaded."""
    installed = importlib.util.find_spec("pipecat") is not None
    activity, turn_model = settings.backend, settings.turn_model
    if activity == "auto":
        activity = "silero" if installed else "silero_single"
    if turn_model == "auto":
        turn_model = "smart_turn" if installed and activity != "scripted" else "none"
    wake = _wake_backend(settings)
    log.info(
        "engines_chosen", activity=activity, turn_model=turn_model, turn_extra=installed, wake=wake
    )
    return Engines(
        resolve_name(ACTIVITIES[activity])(),
        resolve_name(TURN_MODELS[turn_model])() if turn_model != "none" else None,
        _wake_word(wake, settings),
    )


def _wake_backend(settings: EarsSettings) -> str:
    if settings.wake_backend != "auto":
        return settings.wake_backend
    if settings.backend == "scripted":
        return "scripted"
    return "micro" if importlib.util.find_spec("pymicro_wakeword") is not None else "none"


def _wake_word(name: str, settings: EarsSettings) -> WakeWord | None:
    if name == "none":
        return None
    engine = resolve_name(WAKE_WORDS[name])
    wake: WakeWord = (
        engine() if name == "scripted" else engine(settings.wake_words, settings.wake_threshold)
    )
    return wake
