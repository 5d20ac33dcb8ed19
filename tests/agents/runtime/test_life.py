"""An agent's life: load, announce, beat, leave. In virtual time, on the inproc bus."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from agents.runtime.errors import BackendUnavailable
from agents.runtime.life import Agent, AgentProcess, Loaded, hello_of
from agents.runtime.service import Emit, Inbox
from hub.broker.inproc import InprocBroker
from protocols.messages.agent import (
    AgentDrain,
    AgentHeartbeat,
    AgentKind,
    AgentProgress,
    AgentReady,
)
from protocols.messages.turn import ResponseDone, TurnCancel, TurnFailed, TurnStart
from tests.agents.runtime.rig import AGENT, HubSide
from tests.fakes.services import ScriptedBackend, ScriptedService
from tests.virtual_time import clock_ns, names, settle, virtual

START = TurnStart(user_text="hello")


class House:
    """A broker with one agent process in it, and a hub where a test opens one."""

    def __init__(
        self,
        backend: ScriptedBackend,
        service: ScriptedService,
        loaded: Callable[[], Loaded] | None = None,
    ) -> None:
        self.broker = InprocBroker(clock_ns)
        self.agent = Agent(backend, (service,), capacity=4, model="small", loaded=loaded)
        hello = hello_of(AgentKind.TTS, "primary", self.agent, pid=1)
        self.started = 0
        self.process = AgentProcess(
            self.broker.agent_bus(AGENT, hello),
            self.agent,
            clock=clock_ns,
            started=self._count_start,
        )

    def _count_start(self) -> None:
        self.started += 1


@asynccontextmanager
async def living(
    backend: ScriptedBackend | None = None, service: ScriptedService | None = None
) -> AsyncIterator[tuple[House, HubSide, "asyncio.Task[None]"]]:
    """A process and its hub; the process is drained at the end, if it still lives."""
    house = House(backend or ScriptedBackend(), service or ScriptedService())
    hub = HubSide(house.broker)
    async with hub.bus, asyncio.TaskGroup() as tasks:
        life = tasks.create_task(house.process.run())
        await settle()
        yield house, hub, life
        house.process.drain("the test is over")


def announced(hub: HubSide) -> list[int]:
    return [body.capacity for body in hub.bodies() if isinstance(body, AgentReady)]


@virtual
async def test_readiness_follows_progress_and_names_capacity_and_backend() -> None:
    async with living(ScriptedBackend(load_s=4)) as (house, hub, _):
        await asyncio.sleep(3)
        assert announced(hub) == []
        await asyncio.sleep(2)
        assert [p.done for p in hub.bodies() if isinstance(p, AgentProgress)] == [0, 1]
        (ready,) = hub.bodies(AgentReady)
        assert ready == AgentReady(capacity=4, backend="scripted", model="small", selftest_ms=4000)
        assert house.started == 1


@virtual
async def test_what_an_agent_turned_out_to_be_is_asked_once_it_is_loaded() -> None:
    backend, known = ScriptedBackend(load_s=4), Loaded(capacity=0)

    async with AsyncExitStack() as stack:
        house = House(backend, ScriptedService(), loaded=lambda: known)
        hub = HubSide(house.broker)
        await stack.enter_async_context(hub.bus)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        tasks.create_task(house.process.run())
        await asyncio.sleep(3)
        known = Loaded(2, "big", {"reason": "it answers"})
        await asyncio.sleep(2)
        (ready,) = hub.bodies(AgentReady)
        assert (ready.capacity, ready.model) == (2, "big")
        assert ready.info == {"reason": "it answers"}
        house.process.drain("the test is over")


@virtual
async def test_the_heart_beats_twice_a_second_with_work_and_fences() -> None:
    async with living() as (_, hub, _):
        hub.order(START, turn=7)
        hub.order(TurnCancel(reason="stop"), "r2", turn=3)
        await asyncio.sleep(10.1)
        beats = [b for b in hub.bodies() if isinstance(b, AgentHeartbeat)]
        assert len(beats) == 20
        assert beats[-1] == AgentHeartbeat(active=1, fences={"r2": 3})


class CountingService(ScriptedService):
    """Loses something now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.counters = Counter({"late_audio": 2, "samples_missing": 0})


@virtual
async def test_the_heartbeat_tells_what_a_service_lost() -> None:
    async with living(service=CountingService()) as (_, hub, _):
        await asyncio.sleep(0.6)
        (beat,) = [b for b in hub.bodies() if isinstance(b, AgentHeartbeat)]
        assert beat.drops == {"scripted.late_audio": 2}


@virtual
async def test_readiness_is_announced_again_to_a_hub_that_comes_back() -> None:
    async with living() as (house, hub, life):
        await hub.bus.close()
        await asyncio.sleep(30)
        assert not life.done()
        again = HubSide(house.broker, boot=2)
        async with again.bus:
            await asyncio.sleep(1)
            assert announced(again) == [4]
            assert house.started == 1


@virtual
async def test_an_agent_leaves_after_a_minute_without_a_hub() -> None:
    house = House(ScriptedBackend(), ScriptedService())
    began = asyncio.get_running_loop().time()
    await house.process.run()
    assert 60 <= asyncio.get_running_loop().time() - began <= 61


@virtual
async def test_a_drained_agent_finishes_its_turn_and_leaves() -> None:
    async def answer(inbox: Inbox, emit: Emit) -> None:
        await asyncio.sleep(2)
        emit(ResponseDone())

    backend = ScriptedBackend()
    async with living(backend, ScriptedService(script=answer)) as (_, hub, life):
        hub.order(START, turn=1)
        hub.order(AgentDrain(reason="update"))
        hub.order(START, turn=2)
        await asyncio.sleep(1)
        assert announced(hub) == [4, 0]
        assert not life.done()
        await asyncio.sleep(2)
        assert life.done()
        assert names(hub.bodies(ResponseDone, TurnFailed)) == ["TurnFailed", "ResponseDone"]
    assert backend.closed == 1


@virtual
async def test_leaving_does_not_wait_longer_than_the_grace_time() -> None:
    async def never(inbox: Inbox, emit: Emit) -> None:
        await asyncio.sleep(1_000)

    service = ScriptedService(script=never)
    async with living(service=service) as (_, hub, life):
        hub.order(START, turn=1)
        hub.order(AgentDrain())
        await asyncio.sleep(6)
        assert life.done()
        assert service.cancelled == 1


@virtual
async def test_a_drain_interrupts_loading() -> None:
    async with living(ScriptedBackend(load_s=1_000)) as (house, hub, life):
        house.process.drain("SIGTERM")
        await asyncio.sleep(1)
        assert life.done()
        assert announced(hub) == []


@virtual
async def test_a_backend_that_is_not_there_ends_the_process_with_its_reason() -> None:
    backend = ScriptedBackend(error=BackendUnavailable("no model at /models/x"))
    house = House(backend, ScriptedService())
    with pytest.raises(BackendUnavailable, match="no model at /models/x"):
        await house.process.run()
    assert backend.closed == 1


def test_the_hello_names_what_all_services_consume_and_produce() -> None:
    agent = Agent(ScriptedBackend(), (ScriptedService(),), capacity=1)
    hello = hello_of(AgentKind.TTS, "reflex", agent, pid=5)
    assert hello.role == "reflex"
    assert "turn.start" in hello.consumes
    assert "speech.finish" in hello.consumes
    assert "response.done" in hello.produces
