"""The stt process: ``python -m agents.stt``."""

import structlog

from agents.runtime.process import Agent, run_agent
from agents.stt.agent import Stt
from agents.stt.choice import chosen
from agents.stt.settings import SttSettings
from protocols.messages.agent import AgentKind

log = structlog.get_logger(__name__)


def build(settings: SttSettings) -> Agent:
    """Put stt on the recogniser that the settings name."""
    recogniser, reason = chosen(settings)
    log.info("engine_chosen", backend=recogniser.name, model=recogniser.model, reason=reason)
    return Agent(
        recogniser,
        (Stt(recogniser),),
        capacity=recogniser.capacity,
        model=recogniser.model,
        info={"reason": reason},
    )


if __name__ == "__main__":
    run_agent(AgentKind.STT, SttSettings, build)
