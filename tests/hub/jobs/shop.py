"""A hub's desk and registry, and agents that serve its jobs by the real runtime, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.runtime.latch import Latch
from agents.runtime.runner import ServiceRunner
from agents.runtime.service import Service
from hub.broker.inproc import InprocAgentBus, InprocBroker
from hub.broker.inproc_end import Delay, no_delay
from hub.counters import Counters
from hub.jobs.admission import JobLimits
from hub.jobs.desk import JobDesk
from hub.jobs.job import Bounds, JobClass
from hub.jobs.orders import Caller, JobFact, JobOrder
from hub.registry import AgentInfo, Registry
from protocols.envelope import Envelope
from protocols.messages.agent import AgentHello, AgentKind, AgentReady
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatEntry, ChatRequest
from protocols.topics import topic_name
from tests.virtual_time import clock_ns, settle


class Hand:
    """An agent: its end of the bus and what runs in it."""

    def __init__(self, bus: InprocAgentBus, runner: ServiceRunner, task: asyncio.Task[None]):
        self.bus = bus
        self.runner = runner
        self.task = task


class Shop:
    """See the module."""

    def __init__(self, broker: InprocBroker, tasks: asyncio.TaskGroup, bounds: Bounds) -> None:
        self.broker = broker
        self.hub = broker.hub_bus()
        self.counters = Counters()
        self.registry = Registry(self.hub)
        self.desk = JobDesk(self.hub, self.registry, JobLimits(), self.counters, bounds)
        self.registry.watch(self._changed)
        self.hands: dict[str, Hand] = {}
        self._tasks = tasks

    def _changed(self, agent: AgentInfo, up: bool) -> None:
        if not up:
            self.desk.peer_lost(agent.instance)

    async def hire(
        self,
        instance: str,
        kind: AgentKind,
        *services: Service,
        capacity: int = 1,
        latch: Latch | None = None,
        model: str = "",
    ) -> Hand:
        """Let an agent serve, and be ready."""
        consumes = [topic_name(m) for s in services for m in s.consumes | s.opens | s.closes]
        if latch is not None:
            consumes.append("work.hold")
        bus = self.broker.agent_bus(instance, AgentHello(kind=kind, consumes=tuple(consumes)))
        runner = ServiceRunner(bus, services, clock=clock_ns, latch=latch)
        bus.on_link(lambda: self._ready(bus, capacity, model), lambda reason: runner.link_lost())
        hand = self.hands[instance] = Hand(bus, runner, self._tasks.create_task(runner.run()))
        await asyncio.sleep(0)
        await bus.open()
        await settle()
        return hand

    def _ready(self, bus: InprocAgentBus, capacity: int, model: str) -> None:
        ready = AgentReady(capacity=capacity, backend="scripted", model=model)
        bus.publish(Envelope(body=ready))

    async def lose(self, instance: str) -> None:
        """Let an agent die."""
        hand = self.hands.pop(instance)
        hand.runner.stop()
        await hand.bus.close()
        await hand.task

    def active(self) -> int:
        """What agents do at this moment."""
        return sum(hand.runner.active for hand in self.hands.values())


@asynccontextmanager
async def shop(bounds: Bounds | None = None, delay: Delay = no_delay) -> AsyncIterator[Shop]:
    """A shop without agents; afterwards nothing of any job may be left."""
    async with asyncio.TaskGroup() as tasks:
        there = Shop(InprocBroker(clock_ns, delay), tasks, bounds or Bounds())
        async with there.hub:
            yield there
            await settle()
            assert there.active() == 0
            assert not [r for r in there.desk.records() if r.state in ("queued", "running")]
            assert there.desk.waited_for == 0
            for instance in list(there.hands):
                await there.lose(instance)


def chat(
    text: str = "hello",
    *pictures: bytes,
    client: str = "",
    agent: AgentKind = AgentKind.VISION,
    job_class: JobClass = JobClass.INTERACTIVE,
    deadline_s: float = 60.0,
    cost: float = 1.0,
) -> JobOrder:
    """An order to go on with a chat."""
    refs = tuple(BlobRef(index=n, size_bytes=len(p)) for n, p in enumerate(pictures))
    request = ChatRequest(messages=(ChatEntry(role="user", text=text, pictures=refs),))
    caller = Caller(client, job_class=job_class, deadline_s=deadline_s)
    return JobOrder(agent, request, caller, cost=cost, blobs=pictures)


async def to_end(there: Shop, order: JobOrder) -> list[JobFact]:
    """All that a job tells."""
    return [fact async for fact in there.desk.run(order)]


def text_of(facts: list[JobFact]) -> str:
    """The text of a chat."""
    return "".join(getattr(fact.body, "text", "") for fact in facts)
