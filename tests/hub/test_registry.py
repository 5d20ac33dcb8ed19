"""What the registry knows of the models of its agents, over the inproc bus in virtual time."""

from hub.broker.inproc import InprocBroker
from hub.registry import Registry
from protocols.envelope import Envelope
from protocols.messages.agent import (
    AgentHeartbeat,
    AgentHello,
    AgentKind,
    AgentProgress,
    AgentReady,
)
from protocols.messages.model import LoadState, ModelState
from tests.virtual_time import clock_ns, settle, virtual


def state(state: LoadState, model: str) -> ModelState:
    return ModelState(kind=AgentKind.PLANNER, role="primary", state=state, model=model)


@virtual
async def test_an_agents_model_is_followed_and_progress_ends_with_the_load() -> None:
    broker = InprocBroker(clock_ns)
    hub = broker.hub_bus()
    registry = Registry(hub)
    hello = AgentHello(kind=AgentKind.PLANNER, consumes=("model.load",))
    agent = broker.agent_bus("planner-1", hello)
    async with hub, agent:
        for body in (
            AgentReady(capacity=1, backend="ollama", model="small"),
            state(LoadState.LOADING, "big"),
            AgentProgress(step="loading big", done=1, total=4),
        ):
            agent.publish(Envelope(body=body))
        await settle()
        (info,) = registry.agents()
        assert info.has_models
        assert info.engine == state(LoadState.LOADING, "big")
        assert (info.model, info.progress) == ("small", "loading big 25%")
        assert registry.pick(AgentKind.PLANNER) is info
        agent.publish(Envelope(body=state(LoadState.FAILED, "small")))
        await settle()
        (info,) = registry.agents()
        assert info.progress == ""


@virtual
async def test_the_last_state_of_each_agent_is_in_the_snapshot() -> None:
    broker = InprocBroker(clock_ns)
    hub = broker.hub_bus()
    first = broker.agent_bus("planner-1", AgentHello(kind=AgentKind.PLANNER))
    async with hub, first:
        for loaded in ("a", "b"):
            first.publish(Envelope(body=state(LoadState.READY, loaded)))
        first.publish(
            Envelope(body=ModelState(kind=AgentKind.TTS, role="primary", state=LoadState.READY))
        )
        await settle()
        values = [value.body for value in (await hub.snapshot("")).values]
    kept = [value for value in values if isinstance(value, ModelState)]
    assert [(value.kind, value.model) for value in kept] == [
        (AgentKind.PLANNER, "b"), (AgentKind.TTS, ""),
    ]  # fmt: skip


@virtual
async def test_what_an_agent_says_that_it_dropped_is_kept() -> None:
    broker = InprocBroker(clock_ns)
    hub = broker.hub_bus()
    registry = Registry(hub)
    agent = broker.agent_bus("stt-1", AgentHello(kind=AgentKind.STT))
    async with hub, agent:
        agent.publish(Envelope(body=AgentHeartbeat(lag_ms=3.0, drops={"lost.mic.chunk": 1})))
        agent.publish(Envelope(body=AgentHeartbeat(lag_ms=4.0, drops={"lost.mic.chunk": 2})))
        await settle()
        (info,) = registry.agents()

    assert (info.lag_ms, info.drops) == (4.0, {"lost.mic.chunk": 2})
