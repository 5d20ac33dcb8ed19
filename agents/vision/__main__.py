"""The vision process: ``python -m agents.vision``."""

from agents.runtime.models import agent_on
from agents.runtime.process import Agent, run_agent
from agents.vision.agent import Chats, Detect, Ground
from agents.vision.backends.balls import ColourBalls
from agents.vision.backends.ocr import OcrReader
from agents.vision.engines import Tools
from agents.vision.settings import VisionSettings
from agents.vision.sight import Sight
from agents.vision.slotted import eyes_for
from protocols.messages.agent import AgentKind


def build(settings: VisionSettings) -> Agent:
    """Put vision on the engine that the settings name."""
    tools = Tools(OcrReader(settings.ocr_threads), ColourBalls())
    eyes, slot = eyes_for(settings, tools)
    agent = agent_on(slot, eyes, Chats(eyes), Ground(tools.reader), Detect(tools.finder))
    return agent._replace(services=(*agent.services, Sight(tools.finder)))


if __name__ == "__main__":
    run_agent(AgentKind.VISION, VisionSettings, build)
