"""What every engine of the planner keeps, whatever it thinks with."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from agents.planner.agent import Conversation, Plans
from agents.planner.backends.base import Planner
from agents.planner.backends.openai import OpenAiModel, Server
from agents.planner.backends.reflex import ReflexPlanner
from agents.planner.backends.scripted import ScriptedPlanner
from agents.planner.model_planner import ModelPlanner
from protocols.messages.job import PlanDone, PlanRequest
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta
from protocols.plan import safe_actions
from tests.agents.planner.turns import said, turn, world
from tests.fakes.openai_server import OpenAiServer
from tests.fakes.two_lists import served

INPUTS = {
    "greeting": turn("hello"),
    "unknown": turn("what is the capital of france"),
    "empty": turn(""),
    "long": turn("tell me a story " * 625),
    "control characters": turn("\x00\x1b[31m\ud7ff\n"),
    "other scripts": turn("你好 🤖"),
    "with a past": turn("what is my name", said("my name is Anna")),
    "a world of nonsense": turn("how is your battery", world={"power": 5, "mode": None}),
    "a robot that can nothing": turn("turn around", emotions=(), gestures=(), skills=()),
}


@pytest.fixture(params=["reflex", "scripted", "openai"])
async def planner(request: pytest.FixtureRequest) -> AsyncIterator[Planner]:
    if request.param == "openai":
        async with OpenAiServer() as server:
            engine = ModelPlanner(OpenAiModel(Server(server.base_url)))
            await engine.start()
            yield engine
            await engine.close()
        return
    planner: Planner = ReflexPlanner() if request.param == "reflex" else ScriptedPlanner()
    await planner.start()
    yield planner
    await planner.close()


@pytest.mark.parametrize("heard", INPUTS)
async def test_every_turn_gets_one_mood_then_text_then_one_end(
    planner: Planner, heard: str
) -> None:
    start = INPUTS[heard]
    first, *middle, last = await served(Conversation(planner), start)
    assert isinstance(first, ResponseMeta)
    assert isinstance(last, ResponseDone)
    assert all(isinstance(m, ResponseDelta) for m in middle)
    assert middle
    assert first.emotion in (*start.emotions, "neutral")
    assert set(first.gestures) <= set(start.gestures)
    assert all(a["name"] in (*start.gestures, *start.skills) for a in last.actions)


async def test_an_answer_that_is_left_can_be_followed_by_another(planner: Planner) -> None:
    async with aclosing(planner.answer(turn("tell me a story"))) as pieces:
        assert await anext(pieces)
    assert len(await served(Conversation(planner), turn("hello"))) >= 3


async def test_every_world_gets_a_plan_of_safe_actions(planner: Planner) -> None:
    state = world(trigger="ball_seen", ball_detected=True, ball_confidence=1.0).model_dump()
    (plan,) = await served(Plans(planner), PlanRequest(world=state, max_actions=2))
    assert isinstance(plan, PlanDone)
    assert len(plan.actions) <= 2
    assert list(plan.actions) == safe_actions(list(plan.actions))
    assert 500 <= plan.ttl_ms <= 5000
