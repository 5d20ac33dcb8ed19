"""A hub's end, an agent's end and a runner between them, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from agents.runtime.latch import Latch
from agents.runtime.runner import ServiceRunner
from agents.runtime.service import BatchService, Service
from hub.broker.inproc import InprocAgentBus, InprocBroker, InprocHubBus
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.agent import AgentHello, AgentKind
from protocols.topics import CATALOG
from tests.virtual_time import clock_ns, settle

AGENT = "tts-primary-1"
HELLO = AgentHello(kind=AgentKind.TTS)


class HubSide:
    """What a test sends as the hub, and all facts and media that came back."""

    def __init__(self, broker: InprocBroker, boot: int = 1) -> None:
        self.broker = broker
        self.bus: InprocHubBus = broker.hub_bus(boot)
        self.got: list[AnyEnvelope] = []
        for topic in CATALOG.values():
            if not topic.command:
                self.bus.subscribe(topic.message, self._take)

    def _take(self, envelope: AnyEnvelope, blob: bytes) -> None:
        if envelope.src != self.bus.name:
            self.got.append(envelope)

    def order(self, body: Message, robot: str = "r1", **identity: int | str) -> None:
        """Send a command to the agent."""
        self.bus.send(AGENT, envelope_of(body, robot, **identity))

    def media(
        self, body: Message, blob: bytes = b"", robot: str = "r1", **identity: int | str
    ) -> None:
        """Publish on the media lane."""
        self.bus.publish(envelope_of(body, robot, **identity), blob)

    def bodies(self, *kinds: type[Message]) -> list[Message]:
        """What came back, in order, of these classes or of all."""
        return [e.body for e in self.got if not kinds or isinstance(e.body, kinds)]


def envelope_of(body: Message, robot: str, **identity: int | str) -> AnyEnvelope:
    envelope: AnyEnvelope = Envelope(robot=robot, session="s1", epoch=1, body=body)
    for field, value in identity.items():
        setattr(envelope, field, value)
    return envelope


class Rig:
    """Everything a runner test needs."""

    def __init__(self, hub: HubSide, bus: InprocAgentBus, runner: ServiceRunner) -> None:
        self.hub = hub
        self.bus = bus
        self.runner = runner


@asynccontextmanager
async def running(
    *services: Service | BatchService,
    before: Callable[[Rig], None] = lambda rig: None,
    latch: Latch | None = None,
) -> AsyncIterator[Rig]:
    """A linked agent that serves ``services``; what its runner raises, this raises."""
    broker = InprocBroker(clock_ns)
    hub = HubSide(broker)
    bus = broker.agent_bus(AGENT, HELLO)
    runner = ServiceRunner(bus, services, clock=clock_ns, latch=latch)
    bus.on_link(lambda: None, lambda reason: runner.link_lost())
    rig = Rig(hub, bus, runner)
    before(rig)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run())
        await asyncio.sleep(0)
        async with hub.bus, bus:
            yield rig
            await settle()
            runner.stop()
