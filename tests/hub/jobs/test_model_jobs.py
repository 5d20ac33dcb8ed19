"""Orders to load and unload models, over the inproc bus, in virtual time."""

import asyncio
from contextlib import aclosing

import pytest

from hub.errors import AgentMissing, Busy, JobError
from hub.jobs.models import NoModels, NoSuchAgent, NoSuchKind, agent_for
from hub.registry import AgentInfo
from protocols.envelope import AnyEnvelope
from protocols.messages.agent import AgentKind, AgentProgress, AgentState
from protocols.messages.image import ImageProgress
from protocols.messages.job import JobCancel, JobDone, JobFailed
from protocols.messages.model import LoadState, ModelLoad, ModelState, ModelUnload
from tests.hub.jobs.test_desk import Agent, office, planner
from tests.virtual_time import settle, virtual

BIG = ModelLoad(model="big")


def loads(agent: Agent, envelope: AnyEnvelope) -> None:
    if isinstance(envelope.body, ModelLoad | ModelUnload):
        for done in (1, 2):
            agent.says(envelope, AgentProgress(step="load", done=done, total=2))
        agent.says(envelope, JobDone())


def fails_to(agent: Agent, envelope: AnyEnvelope) -> None:
    if isinstance(envelope.body, ModelLoad):
        agent.says(envelope, JobFailed(code="no_such_model", detail="it is not there"))


@virtual
async def test_a_load_tells_how_far_it_is_and_ends_when_it_is_done() -> None:
    agent = planner(loads)
    async with office(agent) as there:
        told = [progress.done async for progress in there.desk.change_model(agent, BIG)]
    assert told == [1, 2]
    assert agent.bodies() == [BIG]


@virtual
async def test_answers_to_a_load_are_counted_as_those_of_no_job() -> None:
    def draws(agent: Agent, envelope: AnyEnvelope) -> None:
        if isinstance(envelope.body, ModelLoad):
            agent.says(envelope, ImageProgress(image=0, step=1, steps=4))
            agent.says(envelope, JobDone())

    agent = planner(draws)
    async with office(agent) as there:
        await _to_end(there.desk.change_model(agent, BIG))
        assert there.counters.read()["job_facts.of_no_job"] == 1
        assert there.desk.records() == []


@virtual
async def test_an_agent_that_is_at_capacity_with_plans_still_takes_it() -> None:
    agent = planner(loads, capacity=1, active=1)
    async with office(agent) as there:
        await _to_end(there.desk.change_model(agent, ModelUnload()))


@virtual
async def test_a_load_that_fails_has_the_agents_code() -> None:
    agent = planner(fails_to)
    async with office(agent) as there:
        with pytest.raises(JobError, match="it is not there") as failed:
            await _to_end(there.desk.change_model(agent, BIG))
    assert failed.value.code == "no_such_model"


@virtual
async def test_a_load_that_nobody_waits_for_is_cancelled() -> None:
    agent = planner()
    async with office(agent) as there, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_to_end(there.desk.change_model(agent, BIG)))
        await settle()
        waiting.cancel()
        await settle()
        assert [type(body) for body in agent.bodies()] == [ModelLoad, JobCancel]


@virtual
async def test_a_load_ends_with_its_agent() -> None:
    agent = planner()
    async with office(agent) as there, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_failure_of(there.desk.change_model(agent, BIG)))
        await settle()
        there.desk.peer_lost(agent.instance)
        assert isinstance(await waiting, AgentMissing)


@virtual
async def test_progress_of_another_agent_is_not_this_jobs() -> None:
    agent, other = planner(), Agent("tts-primary-1", AgentKind.TTS)
    async with office(agent, other) as there, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_to_end(there.desk.change_model(agent, BIG)))
        await settle()
        other.says(agent.got[0], AgentProgress(step="other"))
        agent.says(agent.got[0], JobDone())
        assert await waiting == 0


def info(**fields: object) -> AgentInfo:
    known = {"kind": AgentKind.PLANNER, "role": "primary", "state": AgentState.READY}
    return AgentInfo(**({"instance": "planner-1", "has_models": True} | known | fields))  # type: ignore[arg-type]


def state(state: LoadState) -> ModelState:
    return ModelState(kind=AgentKind.PLANNER, role="primary", state=state)


def test_the_agent_that_is_meant_is_found_by_kind_and_role() -> None:
    agents = [info(), info(instance="planner-2", role="second"), info(kind=AgentKind.STT)]
    assert agent_for(agents, "planner", "second", BIG).instance == "planner-2"


@pytest.mark.parametrize(
    ("agents", "kind", "refusal"),
    [
        ([info()], "toaster", NoSuchKind),
        ([], "planner", NoSuchAgent),
        ([info(role="reflex")], "planner", NoSuchAgent),
        ([info(has_models=False)], "planner", NoModels),
        ([info(state=AgentState.LOADING)], "planner", Busy),
        ([info(engine=state(LoadState.LOADING))], "planner", Busy),
    ],
)
def test_an_order_that_nobody_can_take_is_refused_at_once(
    agents: list[AgentInfo], kind: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        agent_for(agents, kind, "primary", BIG)


def test_an_unload_may_stop_a_load() -> None:
    loading = info(engine=state(LoadState.LOADING))
    assert agent_for([loading], "planner", "primary", ModelUnload()) is loading


async def _to_end(told: object) -> int:
    number = 0
    async with aclosing(told) as progress:  # type: ignore[type-var]
        async for _ in progress:  # type: ignore[attr-defined]
            number += 1
    return number


async def _failure_of(told: object) -> JobError | None:
    try:
        await _to_end(told)
    except JobError as error:
        return error
    return None
