"""Which engines ears runs on, and both of them as one backend."""

import importlib.util
from pkgutil import resolve_name

import structlog

from agents.ears.backends.base import ACTIVITIES, TURN_MODELS, TurnModel, VoiceActivity
from agents.ears.settings import EarsSettings

log = structlog.get_logger(__name__)


class Engines:
    """Voice activity and, where there is one, the turn model."""

    def __init__(self, activity: VoiceActivity, turn_model: TurnModel | None) -> None:
        self.activity = activity
        self.turn_model = turn_model
        self.name = "+".join(one.name for one in (activity, turn_model) if one is not None)

    async def start(self) -> None:
        """Load both; raise what they raise."""
        await self.activity.start()
        if self.turn_model is not None:
            await self.turn_model.start()

    async def close(self) -> None:
        """Free both."""
        await self.activity.close()
        if self.turn_model is not None:
            await self.turn_model.close()


def chosen(settings: EarsSettings) -> Engines:
    """The engines that ``settings`` name, not yet loaded."""
    installed = importlib.util.find_spec("pipecat") is not None
    activity, turn_model = settings.backend, settings.turn_model
    if activity == "auto":
        activity = "silero" if installed else "silero_single"
    if turn_model == "auto":
        turn_model = "smart_turn" if installed and activity != "scripted" else "none"
    log.info("engines_chosen", activity=activity, turn_model=turn_model, turn_extra=installed)
    return Engines(
        resolve_name(ACTIVITIES[activity])(),
        resolve_name(TURN_MODELS[turn_model])() if turn_model != "none" else None,
    )
