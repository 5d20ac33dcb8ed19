"""Models are changed for jobs that need another one, and told from those of robots."""

import asyncio

import pytest

from hub.errors import JobError
from hub.jobs.models import ModelMissing
from hub.jobs.orders import JobOrder
from protocols.messages.agent import AgentKind
from protocols.messages.model import ModelLoad
from tests.fakes.job_services import Chatty, Loads
from tests.hub.jobs.shop import chat, shop, text_of, to_end
from tests.virtual_time import settle, virtual

VISION = AgentKind.VISION


def asks_for(model: str, text: str = "?", agent: AgentKind = VISION) -> JobOrder:
    return JobOrder(agent, chat(text).request, model=model)


@virtual
async def test_a_job_for_another_model_has_it_loaded_once_those_for_the_held_one_are_done() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        talker, loads = Chatty("so be it"), Loads()
        await there.hire("vision-1", VISION, talker, loads, model="small")
        orders = [asks_for("small", "1"), asks_for("big", "2"), asks_for("small", "3")]
        orders += [asks_for("big", "4"), asks_for("", "5")]
        told = [tasks.create_task(to_end(there, order)) for order in orders]
        assert [text_of(each) for each in await asyncio.gather(*told)] == ["so be it "] * 5
        assert talker.begun == ["1", "3", "5", "2", "4"]
        assert loads.asked == ["big"]
        await to_end(there, asks_for("small"))
        assert loads.asked == ["big", "small"]


@virtual
async def test_a_model_that_cannot_be_loaded_fails_its_jobs_with_the_reason() -> None:
    async with shop() as there:
        await there.hire("vision-1", VISION, Chatty(), Loads(), model="small")
        with pytest.raises(JobError, match="it has no weights") as failed:
            await to_end(there, asks_for("broken"))
        assert failed.value.code == "backend_unavailable"
        assert there.desk.records()[0].code == "backend_unavailable"
        assert text_of(await to_end(there, asks_for("small"))) == "well then "


@virtual
async def test_the_model_that_robots_speak_with_is_not_changed_for_a_job() -> None:
    async with shop() as there:
        await there.hire("planner-1", AgentKind.PLANNER, Chatty(), Loads(), model="small")
        with pytest.raises(ModelMissing):
            await to_end(there, asks_for("big", agent=AgentKind.PLANNER))
        await to_end(there, asks_for("small", agent=AgentKind.PLANNER))


@virtual
async def test_an_agent_that_dies_while_it_loads_leaves_the_job_to_the_next() -> None:
    async with shop() as there, asyncio.TaskGroup() as tasks:
        await there.hire("vision-1", VISION, Chatty(), Loads(), model="small")
        told = tasks.create_task(to_end(there, asks_for("big")))
        await asyncio.sleep(1)
        await there.lose("vision-1")
        await there.hire("vision-2", VISION, Chatty("hello"), model="big")
        assert text_of(await told) == "hello "


@virtual
async def test_a_model_that_somebody_changed_by_hand_is_not_taken_for_the_jobs_one() -> None:
    async with shop() as there:
        talker, loads = Chatty(), Loads()
        await there.hire("vision-1", VISION, talker, loads, model="small")
        await to_end(there, asks_for("big"))
        agent = there.registry.get("vision-1")
        assert agent is not None
        async for _ in there.desk.change_model(agent, ModelLoad(model="small")):
            pass
        await settle()
        await to_end(there, asks_for("small"))
        assert loads.asked == ["big", "small"]
