"""The planner process: ``python -m agents.planner``."""

from agents.planner.agent import Conversation, Plans
from agents.planner.engines import chosen
from agents.planner.settings import PlannerSettings
from agents.runtime.process import Agent, run_agent
from protocols.messages.agent import AgentKind


def build(settings: PlannerSettings) -> Agent:
    """Put the planner on the engine that the settings name."""
    planner = chosen(settings)
    services = (Conversation(planner), Plans(planner))
    return Agent(planner, services, capacity=planner.capacity, model=settings.model)


if __name__ == "__main__":
    run_agent(AgentKind.PLANNER, PlannerSettings, build)
