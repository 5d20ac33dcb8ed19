"""The planner process: ``python -m agents.planner``."""

from agents.planner.agent import Chats, Conversation, Plans
from agents.planner.engines import chosen
from agents.planner.equipping import belt_for
from agents.planner.settings import PlannerSettings
from agents.planner.slotted import SlottedPlanner, slot_for
from agents.runtime.models import agent_on
from agents.runtime.process import Agent, Loaded, run_agent
from protocols.messages.agent import AgentKind


def build(settings: PlannerSettings) -> Agent:
    """Put the planner on the engine that the settings name."""
    slot, belt = slot_for(settings), belt_for(settings)
    if slot is not None:
        slotted = SlottedPlanner(slot)
        services = Conversation(slotted, belt), Plans(slotted), Chats(slotted)
        agent = agent_on(slot, slotted, *services)
        return agent._replace(beside=belt.run) if belt is not None else agent
    planner, reason = chosen(settings)

    def loaded() -> Loaded:
        return Loaded(planner.capacity, planner.model, {"reason": reason()})

    services = (Conversation(planner), Plans(planner), Chats(planner))
    return Agent(planner, services, capacity=planner.capacity, loaded=loaded)


if __name__ == "__main__":
    run_agent(AgentKind.PLANNER, PlannerSettings, build)
