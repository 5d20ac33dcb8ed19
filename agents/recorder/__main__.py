"""The recorder process: ``python -m agents.recorder``."""

from agents.recorder.agent import Recorder
from agents.recorder.engines import chosen
from agents.recorder.settings import RecorderSettings
from agents.runtime.process import Agent, run_agent
from protocols.messages.agent import AgentKind


def build(settings: RecorderSettings) -> Agent:
    """Put the recorder on the tape that the settings name."""
    tape = chosen(settings)
    return Agent(tape, (Recorder(tape),), capacity=1)


if __name__ == "__main__":
    run_agent(AgentKind.RECORDER, RecorderSettings, build)
