"""An agent whose models are loaded and unloaded on the hub's word, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agents.runtime.errors import EngineDied
from agents.runtime.life import AgentProcess, hello_of
from agents.runtime.models import agent_on
from agents.runtime.slot import EngineSlot, SlotOptions
from hub.broker.inproc import InprocBroker
from protocols.messages.agent import AgentKind, AgentProgress, AgentReady
from protocols.messages.job import JobCancel, JobDone, JobFailed
from protocols.messages.model import LoadState, ModelLoad, ModelState, ModelUnload
from tests.agents.runtime.rig import AGENT, HubSide
from tests.fakes.engines import Engines, FakeEngine
from tests.fakes.services import ScriptedService
from tests.virtual_time import clock_ns, settle, virtual


class SlotBackend:
    """A backend of nothing but its slot."""

    def __init__(self, slot: EngineSlot[FakeEngine]) -> None:
        self._slot = slot

    @property
    def name(self) -> str:
        return self._slot.about.backend

    async def start(self) -> None:
        await self._slot.start()

    async def close(self) -> None:
        await self._slot.close()


class House:
    """A process on a slot, and its hub."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.broker = InprocBroker(clock_ns)
        agent = agent_on(engines.slot, SlotBackend(engines.slot), ScriptedService())
        hello = hello_of(AgentKind.TTS, "primary", agent, pid=1)
        bus = self.broker.agent_bus(AGENT, hello)
        self.process = AgentProcess(bus, agent, clock=clock_ns, hello=hello)
        self.hub = HubSide(self.broker)
        self.consumes = hello.consumes

    def order(self, body: ModelLoad | ModelUnload | JobCancel, job: int = 1) -> None:
        self.hub.order(body, robot="", job=job)

    @property
    def models(self) -> list[tuple[str, str]]:
        """State and model, whenever another one was told."""
        told = [(s.state.value, s.model) for s in self.hub.bodies() if isinstance(s, ModelState)]
        return [one for at, one in enumerate(told) if not at or told[at - 1] != one]

    @property
    def announced(self) -> list[str]:
        return [ready.model for ready in self.hub.bodies() if isinstance(ready, AgentReady)]


@asynccontextmanager
async def living(engines: Engines) -> AsyncIterator[House]:
    house = House(engines)
    async with house.hub.bus, asyncio.TaskGroup() as tasks:
        tasks.create_task(house.process.run())
        await settle()
        yield house
        house.process.drain("the test is over")


@virtual
async def test_a_load_is_done_when_the_new_model_serves_and_the_agent_says_what_it_is_now() -> None:
    async with living(Engines(load_s=2)) as house:
        await asyncio.sleep(3)
        assert house.announced == ["default"]
        house.order(ModelLoad(model="big"))
        await asyncio.sleep(1)
        assert house.hub.bodies(JobDone) == []
        assert house.models[-1] == ("loading", "big")
        await asyncio.sleep(2)
        assert house.hub.bodies(JobDone) == [JobDone()]
        assert house.announced == ["default", "big"]
        assert house.models == [
            ("loading", "default"), ("ready", "default"), ("loading", "big"), ("ready", "big"),
        ]  # fmt: skip


@virtual
async def test_progress_of_a_later_load_goes_to_the_hub_as_well() -> None:
    async with living(Engines()) as house:
        before = len(house.hub.bodies(AgentProgress))
        house.order(ModelLoad(model="big"))
        await settle()
        later = house.hub.bodies(AgentProgress)[before:]
        assert [p.step for p in later if isinstance(p, AgentProgress)] == ["loading big", "load"]


@virtual
async def test_a_load_that_fails_is_a_coded_job_and_the_agent_stays_what_it_was() -> None:
    async with living(Engines()) as house:
        house.order(ModelLoad(model="none"))
        await settle()
        (failed,) = house.hub.bodies(JobFailed)
        assert failed == JobFailed(code="no_such_model", detail="there is no model none")
        assert house.announced == ["default"]
        assert house.models[-1] == ("ready", "default")


@virtual
async def test_a_load_whose_job_is_cancelled_is_stopped() -> None:
    async with living(Engines(load_s=5)) as house:
        await asyncio.sleep(6)
        house.order(ModelLoad(model="big"))
        await asyncio.sleep(1)
        house.order(JobCancel())
        await asyncio.sleep(10)
        assert house.announced == ["default"]
        assert "ready big" not in house.engines.log


@virtual
async def test_an_unload_is_done_when_the_memory_is_free_and_the_agent_stays_ready() -> None:
    async with living(Engines()) as house:
        house.order(ModelUnload())
        await settle()
        assert house.hub.bodies(JobDone) == [JobDone()]
        assert house.models[-1] == ("unloaded", "default")
        assert house.announced == ["default"]
        assert house.engines.slot.engines == ()


@virtual
async def test_without_warm_up_an_agent_is_ready_before_its_model_is_loaded() -> None:
    async with living(Engines(SlotOptions(warm_up=False), load_s=100)) as house:
        (ready,) = house.hub.bodies(AgentReady)
        assert ready == AgentReady(capacity=4, backend="fake", model="default")
        assert house.models == [("unloaded", "default")]


@virtual
async def test_a_hub_that_comes_back_is_told_how_the_slot_stands() -> None:
    async with living(Engines()) as house:
        await house.hub.bus.close()
        again = HubSide(house.broker, boot=2)
        async with again.bus:
            await asyncio.sleep(1)
            (state,) = [s for s in again.bodies() if isinstance(s, ModelState)]
            assert (state.state, state.kind) == (LoadState.READY, AgentKind.TTS)


@virtual
async def test_an_engine_that_dies_while_it_serves_ends_the_process_to_be_started_again() -> None:
    house = House(Engines())
    made = house.engines.made

    def mortal(model: str) -> FakeEngine:
        engine = made(model)
        start = engine.start

        async def started() -> None:
            await start()
            asyncio.get_running_loop().call_later(5, engine.die)

        engine.start = started  # type: ignore[method-assign]
        return engine

    house.engines.slot._make = mortal
    async with house.hub.bus:
        asyncio.get_running_loop().call_later(1, house.order, ModelLoad(model="big"))
        with pytest.raises(EngineDied, match="it was killed"):
            await house.process.run()


def test_the_hello_of_an_agent_with_a_slot_says_that_it_takes_models() -> None:
    assert {"model.load", "model.unload"} <= set(House(Engines()).consumes)
