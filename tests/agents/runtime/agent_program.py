"""A whole agent program for the process tests: ``python -m … none|missing|unknown|ready``."""

import sys

from agents.runtime.errors import BackendUnavailable
from agents.runtime.process import Agent, run_agent
from agents.runtime.settings import AgentSettings
from protocols.messages.agent import AgentKind
from tests.fakes.services import ScriptedBackend, ScriptedService


def build(settings: AgentSettings) -> Agent:
    error = None
    if sys.argv[1] == "unknown":
        raise BackendUnavailable("no backend is called unknown")
    if sys.argv[1] == "missing":
        error = BackendUnavailable("no model on disk")
    return Agent(ScriptedBackend(error=error), (ScriptedService(),), capacity=1)


if __name__ == "__main__":
    run_agent(AgentKind.STT, AgentSettings, build)
