"""What every engine of the planner keeps, whatever it thinks with."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import pytest

from agents.engines.language.failover import Failover
from agents.engines.language.ollama import OllamaModel
from agents.engines.language.ollama import Server as OllamaAddress
from agents.engines.language.openai import OpenAiModel
from agents.engines.language.openai import Server as OpenAiAddress
from agents.planner.agent import Conversation, Plans
from agents.planner.backends.base import Planner
from agents.planner.backends.reflex import ReflexPlanner
from agents.planner.backends.scripted import ScriptedPlanner
from agents.planner.model_planner import ModelPlanner
from agents.planner.slotted import SlottedPlanner
from agents.runtime.slot import EngineSlot
from protocols.messages.job import PlanDone, PlanRequest
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta
from protocols.plan import safe_actions
from tests.agents.planner.turns import said, turn, world
from tests.fakes.engines import running, slot_of
from tests.fakes.ollama_server import OllamaServer
from tests.fakes.openai_server import Behaviour, OpenAiServer
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


Engine = Callable[[], AbstractAsyncContextManager[Planner]]


@asynccontextmanager
async def reflex() -> AsyncIterator[Planner]:
    yield ReflexPlanner()


@asynccontextmanager
async def scripted() -> AsyncIterator[Planner]:
    yield ScriptedPlanner()


@asynccontextmanager
async def openai() -> AsyncIterator[Planner]:
    async with OpenAiServer() as server:
        yield ModelPlanner(OpenAiModel(OpenAiAddress(server.base_url)))


@asynccontextmanager
async def ollama() -> AsyncIterator[Planner]:
    async with OllamaServer() as server:
        yield ModelPlanner(OllamaModel(OllamaAddress(server.url, "tiny")))


@asynccontextmanager
async def failover() -> AsyncIterator[Planner]:
    """A server that is gone, one that dies under every answer, and one that works."""
    async with OpenAiServer() as gone:
        pass
    async with OpenAiServer(Behaviour(dies_after=0)) as dying, OpenAiServer() as server:
        addresses = (gone.base_url, dying.base_url, server.base_url)
        models = [OpenAiModel(OpenAiAddress(address, "tiny")) for address in addresses]
        yield ModelPlanner(Failover(models))


@asynccontextmanager
async def slotted() -> AsyncIterator[Planner]:
    """An engine that is reached through a slot."""
    slot: EngineSlot[Planner] = slot_of(lambda model: ScriptedPlanner(model=model))
    async with running(slot):
        yield SlottedPlanner(slot)


ENGINES: Sequence[Engine] = (reflex, scripted, slotted, openai, ollama, failover)
"""An engine that has to be installed joins them as ``pytest.param(…, marks=pytest.mark.engine)``,
with the smallest weights it can load."""


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.__name__)
async def planner(request: pytest.FixtureRequest) -> AsyncIterator[Planner]:
    async with request.param() as planner:
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


async def test_it_can_say_what_it_is(planner: Planner) -> None:
    assert planner.name
    assert planner.capacity >= 1
    assert isinstance(planner.model, str)
    assert isinstance(planner.counters, Counter)


async def test_nothing_happened_is_nothing_to_do(planner: Planner) -> None:
    (plan,) = await served(
        Plans(planner), PlanRequest(world=world(trigger="periodic").model_dump())
    )
    assert plan == PlanDone(actions=(), ttl_ms=500)


async def test_every_world_gets_a_plan_of_safe_actions(planner: Planner) -> None:
    state = world(trigger="ball_seen", ball_detected=True, ball_confidence=1.0).model_dump()
    (plan,) = await served(Plans(planner), PlanRequest(world=state, max_actions=2))
    assert isinstance(plan, PlanDone)
    assert len(plan.actions) <= 2
    assert list(plan.actions) == safe_actions(list(plan.actions))
    assert 500 <= plan.ttl_ms <= 5000
