"""Plans of a language model: asked for when something happened, once, and repaired once."""

import asyncio
import json
from typing import Any

import pytest

from agents.planner.agent import Plans
from agents.planner.model_planner import ModelPlanner
from agents.planner.plan_cache import TTL_S
from agents.runtime.errors import AgentError, BackendTimeout
from agents.runtime.service import Counting
from tests.agents.planner.turns import world
from tests.fakes.language_model import FakeLanguageModel, Writing
from tests.virtual_time import virtual

NOTHING = {"actions": [], "ttl_ms": 500}
NONSENSE = Writing(("I would rather not.",))


def plan_of(*actions: dict[str, Any], ttl_ms: int = 900) -> Writing:
    return Writing((json.dumps({"actions": actions, "ttl_ms": ttl_ms}),))


HELLO = {"action": "say", "text": "Hello!"}
GREETING = plan_of(HELLO)
CHASE = plan_of({"action": "skill", "name": "investigate_ball"})


class Asked:
    """A planner on a scripted model, and what it answers."""

    def __init__(self, *writings: Writing) -> None:
        self.model = FakeLanguageModel(*writings)
        self.planner = ModelPlanner(self.model)

    async def plan(self, max_actions: int = 5, **fields: Any) -> Any:
        return json.loads(await self.planner.plan(world(**fields), max_actions))

    @property
    def times(self) -> int:
        return len(self.model.prompts)


@pytest.mark.parametrize("trigger", ["heartbeat", "periodic"])
@virtual
async def test_the_model_is_not_asked_by_the_clock(trigger: str) -> None:
    asked = Asked(GREETING)
    assert await asked.plan(trigger=trigger) == NOTHING
    assert asked.times == 0
    assert asked.planner.counters == {"quiet": 1}


@virtual
async def test_an_event_is_thought_of_once() -> None:
    asked = Asked(CHASE)
    events = ["vision.ball_acquired"]
    assert (await asked.plan(recent_events=events))["actions"]
    assert await asked.plan(recent_events=events) == NOTHING
    assert (await asked.plan(recent_events=[*events, "vision.ball_lost"]))["actions"]
    assert asked.times == 2


@virtual
async def test_an_event_is_new_to_each_robot() -> None:
    asked = Asked(CHASE)
    for robot in ("a", "b"):
        assert (await asked.plan(robot_id=robot, recent_events=["face.button.click"]))["actions"]


@virtual
async def test_what_a_failed_plan_did_not_see_is_still_new() -> None:
    asked = Asked(Writing((), error=BackendTimeout("too slow")), CHASE)
    with pytest.raises(BackendTimeout):
        await asked.plan(recent_events=["face.button.click"])
    assert (await asked.plan(recent_events=["face.button.click"]))["actions"]


@virtual
async def test_the_same_situation_is_answered_alike_for_a_while() -> None:
    asked = Asked(GREETING, plan_of())
    first = await asked.plan(trigger="face.button.click", seq=1, robot_id="a")
    assert await asked.plan(trigger="face.button.click", seq=2, robot_id="b") == first
    assert asked.times == 1
    assert asked.planner.counters["cached"] == 1
    await asyncio.sleep(TTL_S)
    assert await asked.plan(trigger="face.button.click") != first


@virtual
async def test_a_plan_that_moves_the_robot_is_thought_of_anew() -> None:
    asked = Asked(CHASE)
    for _ in range(2):
        await asked.plan(trigger="ball_seen")
    assert asked.times == 2


@virtual
async def test_nonsense_is_repaired_once_and_told_what_was_wrong() -> None:
    asked = Asked(NONSENSE, GREETING)
    assert await asked.plan(trigger="ball_seen") == {"actions": [HELLO], "ttl_ms": 900}
    *_, came, why = asked.model.prompts[1].messages
    assert (came.role, came.text) == ("assistant", "I would rather not.")
    assert "cannot be used" in why.text
    assert asked.model.prompts[1].is_plan
    assert asked.planner.counters["repaired"] == 1


@virtual
async def test_nonsense_twice_is_a_coded_failure() -> None:
    asked = Asked(NONSENSE)
    with pytest.raises(AgentError) as raised:
        await asked.plan(trigger="ball_seen")
    assert raised.value.code == "llm_nonsense"
    assert asked.times == 2


@virtual
async def test_what_is_said_of_power_is_dropped_and_counted() -> None:
    asked = Asked(plan_of({"action": "say", "text": "My battery is low!"}, HELLO))
    assert (await asked.plan(trigger="ball_seen"))["actions"] == [HELLO]
    assert asked.planner.counters["power_talk"] == 1


@virtual
async def test_a_plan_is_cut_after_what_is_not_allowed_was_dropped() -> None:
    tired = {"action": "say", "text": "I need power"}
    asked = Asked(plan_of(tired, HELLO, {"action": "say", "text": "Bye!"}))
    assert (await asked.plan(max_actions=1, trigger="ball_seen"))["actions"] == [HELLO]


async def test_the_service_tells_the_planners_counters() -> None:
    planner = ModelPlanner(FakeLanguageModel())
    service = Plans(planner)
    assert isinstance(service, Counting)
    assert service.counters is planner.counters
