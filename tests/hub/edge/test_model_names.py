"""Which model a job asks for, by the name that its client gave."""

import pytest

from hub.aliases import aliases_of
from hub.edge.model_names import model_for
from protocols.messages.agent import AgentKind, AgentState
from tests.hub.edge.test_http import Agent

PLANNER = AgentKind.PLANNER
ALIASES = aliases_of(("tuned=org/tuned",))


def asked(name: str | None, *held: str) -> str:
    agents = [Agent(PLANNER, model=model) for model in held]
    return model_for(name, PLANNER, agents, ALIASES)


@pytest.mark.parametrize("name", [None, "", "  ", "phi4", "LLaVA:13b", "google/gemma-2b-it"])
def test_no_name_and_documented_names_mean_whatever_is_there(name: str | None) -> None:
    assert asked(name, "qwen3:14b") == ""


def test_the_name_of_a_model_that_is_held_is_itself() -> None:
    assert asked("qwen3:14b", "qwen3:8b", "qwen3:14b") == "qwen3:14b"


def test_a_model_is_known_without_its_owner_and_in_other_letters() -> None:
    assert asked("Qwen/Qwen3-8B-AWQ", "Qwen3-8B-AWQ") == ""
    assert asked("qwen3-8b-awq", "Qwen3-8B-AWQ") == ""
    assert asked("qwen3-8b-awq", "Qwen3-8B-AWQ", "other") == "Qwen3-8B-AWQ"


def test_an_alias_means_what_the_settings_say() -> None:
    assert asked("Tuned", "qwen3:14b") == "org/tuned"


def test_any_other_name_is_handed_on_to_whoever_may_load_it() -> None:
    assert asked("gpt-9", "qwen3:14b") == "gpt-9"


def test_what_is_not_ready_or_of_another_kind_holds_nothing() -> None:
    agents = [
        Agent(PLANNER, model="a", state=AgentState.LOADING),
        Agent(PLANNER, model="a", role="reflex"),
        Agent(AgentKind.VISION, model="a"),
    ]
    assert model_for("owner/a", PLANNER, agents, ALIASES) == "owner/a"
