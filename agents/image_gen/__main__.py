"""The image agent's process: ``python -m agents.image_gen``."""

import structlog

from agents.image_gen.agent import Pictures
from agents.image_gen.settings import ImageSettings
from agents.image_gen.slotted import SlottedPainter, slot_for
from agents.runtime.latch import Latch
from agents.runtime.models import agent_on
from agents.runtime.process import Agent, run_agent
from protocols.messages.agent import AgentKind

log = structlog.get_logger(__name__)


def build(settings: ImageSettings) -> Agent:
    """Put the image agent on the engine that the settings name."""
    latch = Latch()
    slot = slot_for(settings, latch)
    about = slot.about
    log.info("engine_chosen", backend=about.backend, model=about.model, reason=about.info["reason"])
    painter = SlottedPainter(slot)
    agent = agent_on(slot, painter, Pictures(painter, settings.limits))
    return agent._replace(latch=latch)


if __name__ == "__main__":
    run_agent(AgentKind.IMAGE_GEN, ImageSettings, build)
