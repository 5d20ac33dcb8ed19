"""The stt process: ``python -m agents.stt``."""

import structlog

from agents.runtime.models import agent_on
from agents.runtime.process import Agent, run_agent
from agents.stt.agent import Stt
from agents.stt.recordings import Transcriptions
from agents.stt.settings import SttSettings
from agents.stt.slotted import SlottedRecogniser, slot_for
from protocols.messages.agent import AgentKind

log = structlog.get_logger(__name__)


def build(settings: SttSettings) -> Agent:
    """Put stt on the recogniser that the settings name."""
    slot = slot_for(settings)
    about = slot.about
    log.info("engine_chosen", backend=about.backend, model=about.model, reason=about.info["reason"])
    recogniser = SlottedRecogniser(slot)
    services = Stt(recogniser, settings.language), Transcriptions(recogniser)
    return agent_on(slot, recogniser, *services)


if __name__ == "__main__":
    run_agent(AgentKind.STT, SttSettings, build)
