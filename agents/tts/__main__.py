"""The tts process: ``python -m agents.tts``."""

from agents.runtime.process import Agent, run_agent
from agents.tts.agent import Jobs, Responses
from agents.tts.engines import chosen
from agents.tts.settings import TtsSettings
from protocols.messages.agent import AgentKind


def build(settings: TtsSettings) -> Agent:
    """Put tts on the engine that the settings name."""
    voice = chosen(settings)
    services = (Responses(voice), Jobs(voice))
    return Agent(voice, services, capacity=voice.capacity, model=settings.voice)


if __name__ == "__main__":
    run_agent(AgentKind.TTS, TtsSettings, build)
