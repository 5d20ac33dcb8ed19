"""The ears process: ``python -m agents.ears``."""

import time
from dataclasses import replace

from agents.ears.agent import Ears
from agents.ears.endpointing import DEFAULT_RULES, INSTANT
from agents.ears.engines import chosen
from agents.ears.settings import EarsSettings
from agents.runtime.process import Agent, run_agent
from protocols.messages.agent import AgentKind


def build(settings: EarsSettings) -> Agent:
    """Put ears on the engines that the settings name."""
    engines = chosen(settings)
    rules = INSTANT if settings.backend == "scripted" else DEFAULT_RULES
    if settings.backend != "scripted":
        rules = replace(rules, silence_ms=settings.silence_ms)
    rules = replace(rules, max_utterance_ms=settings.max_utterance_ms)
    # Milliseconds since the machine's start: beyond every number an earlier process has used.
    first_number = time.monotonic_ns() // 1_000_000
    ears = Ears(
        engines.activity, engines.turn_model, engines.wake, rules=rules, first_number=first_number
    )
    return Agent(engines, (ears,), capacity=settings.capacity, model=engines.name)


if __name__ == "__main__":
    run_agent(AgentKind.EARS, EarsSettings, build)
