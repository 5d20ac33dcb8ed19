import asyncio
import json

import pytest

from agents.planner.agent import Conversation, Plans
from agents.planner.backends.reflex import ReflexPlanner
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.runtime.errors import AgentError, BackendTimeout
from protocols.messages.job import PlanDone, PlanRequest
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta
from tests.agents.planner.turns import said, turn, world
from tests.fakes.two_lists import ListInbox, Outbox, served
from tests.virtual_time import virtual


async def test_a_turn_becomes_one_mood_then_text_then_the_end() -> None:
    planner = ScriptedPlanner([Script(('{"emotion": "sad", "text": "Oh', " no", '."}'))])
    messages = await served(Conversation(planner), turn("hi"))
    assert messages == [
        ResponseMeta(emotion="sad"),
        ResponseDelta(text="Oh"),
        ResponseDelta(text=" no"),
        ResponseDelta(text="."),
        ResponseDone(tokens=3),
    ]


async def test_the_reflex_planner_tells_the_intent_it_understood() -> None:
    first, *_ = await served(Conversation(ReflexPlanner()), turn("who are you"))
    assert isinstance(first, ResponseMeta)
    assert first.intent == "identity"


@virtual
async def test_text_is_sent_as_it_is_written_and_not_at_the_end() -> None:
    planner = ScriptedPlanner([Script(('{"text": "One ', "two ", 'three"}'), pause_s=1.0)])
    service = Conversation(planner)
    outbox = Outbox(service)
    started = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        group.create_task(service.serve(ListInbox(turn("hi")), outbox))
        await outbox.until(ResponseDelta)
        assert asyncio.get_running_loop().time() - started == pytest.approx(1.0)
    assert asyncio.get_running_loop().time() - started == pytest.approx(3.0)


@virtual
async def test_cancelling_a_turn_stops_its_engine() -> None:
    planner = ScriptedPlanner([Script(('{"text": "One ', "two "), pause_s=1.0)])
    service = Conversation(planner)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.serve(ListInbox(turn("hi")), Outbox(service)))
        await asyncio.sleep(1.5)
        task.cancel()
    assert (planner.opened, planner.closed) == (1, 1)


async def test_an_engine_is_not_read_beyond_the_end_of_its_answer() -> None:
    endless = ('{"text": "Done."}', *[" and more"] * 1000)
    planner = ScriptedPlanner([Script(endless)])
    messages = await served(Conversation(planner), turn("hi"))
    assert messages[-1] == ResponseDone(tokens=1)
    assert planner.closed == 1


async def test_an_engine_that_fails_in_the_middle_fails_the_turn_with_its_code() -> None:
    script = Script(('{"text": "Well', " then"), error=BackendTimeout("too slow"))
    service = Conversation(ScriptedPlanner([script]))
    outbox = Outbox(service)
    with pytest.raises(BackendTimeout):
        await service.serve(ListInbox(turn("hi")), outbox)
    assert [type(m) for m in outbox.messages] == [ResponseMeta, ResponseDelta, ResponseDelta]


async def test_one_turn_leaves_nothing_behind_for_the_next() -> None:
    service = Conversation(ReflexPlanner())
    alone = await served(service, turn("what is my name"))
    await served(service, turn("my name is Anna"))
    assert await served(service, turn("what is my name")) == alone
    with_history = await served(service, turn("what is my name", said("my name is Anna")))
    assert with_history != alone


async def test_a_plan_request_becomes_a_plan() -> None:
    state = world(trigger="fault.raised", faults=["motor"]).model_dump()
    (plan,) = await served(Plans(ReflexPlanner()), PlanRequest(world=state))
    assert plan == PlanDone(
        actions=({"action": "emote", "name": "confused", "intensity": 0.6},), ttl_ms=2000
    )


async def test_a_plan_request_without_a_world_fails_with_a_code() -> None:
    with pytest.raises(AgentError) as raised:
        await served(Plans(ReflexPlanner()), PlanRequest(world={"mode": 5}))
    assert raised.value.code == "bad_world_state"


async def test_a_plan_that_is_none_fails_with_a_code() -> None:
    with pytest.raises(AgentError) as raised:
        await served(
            Plans(ScriptedPlanner(plan="I would rather not.")),
            PlanRequest(world=world().model_dump()),
        )
    assert raised.value.code == "llm_nonsense"


async def test_the_scripted_planner_echoes_where_it_has_no_script() -> None:
    messages = await served(Conversation(ScriptedPlanner()), turn('say "hi"'))
    assert [m.text for m in messages if isinstance(m, ResponseDelta)] == ['say "hi".']
    assert json.loads(ScriptedPlanner()._plan)["actions"] == []
