"""The tts process: ``python -m agents.tts``."""

import structlog

from agents.runtime.models import agent_on
from agents.runtime.process import Agent, run_agent
from agents.tts.agent import Jobs, Responses
from agents.tts.engines import chosen
from agents.tts.settings import TtsSettings
from agents.tts.slotted import SlottedVoice, slot_for
from protocols.messages.agent import AgentKind

log = structlog.get_logger(__name__)


def build(settings: TtsSettings) -> Agent:
    """Put tts on the engine that the settings name."""
    slot = slot_for(settings)
    if slot is not None:
        about = slot.about
        reason = about.info["reason"]
        log.info("voice_chosen", backend=about.backend, model=about.model, reason=reason)
        slotted = SlottedVoice(slot)
        return agent_on(slot, slotted, Responses(slotted), Jobs(slotted))
    voice, model, reason = chosen(settings)
    log.info("voice_chosen", backend=voice.name, model=model, reason=reason)
    # A voice that is two says here, once it is started, which of them there are.
    info: dict[str, str] = getattr(voice, "info", {})
    info.setdefault("reason", reason)
    services = (Responses(voice), Jobs(voice))
    return Agent(voice, services, capacity=voice.capacity, model=model, info=info)


if __name__ == "__main__":
    run_agent(AgentKind.TTS, TtsSettings, build)
