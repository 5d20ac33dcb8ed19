"""The feelings process: ``python -m agents.feelings``."""

from agents.feelings.agent import Feelings, by_chance
from agents.feelings.engines import chosen
from agents.feelings.settings import FeelingsSettings
from agents.runtime.process import Agent, run_agent
from protocols.messages.agent import AgentKind


def build(settings: FeelingsSettings) -> Agent:
    """Put feelings on the book that the settings name."""
    book = chosen(settings)
    feelings = Feelings(book, settings.axes, settings.guardrails, noise=by_chance(settings.seed))
    return Agent(book, (feelings,), capacity=settings.capacity)


if __name__ == "__main__":
    run_agent(AgentKind.FEELINGS, FeelingsSettings, build)
