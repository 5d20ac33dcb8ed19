"""The bus inside one process: deterministic, for tests and for the simulator.

The same promises as over ZeroMQ, kept by the same ledger and routing tables, without sockets or
link clocks: a frame arrives in the loop's next round, or later where ``delay`` says so. Frames are
encoded and decoded, so no peer sees another's objects.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Any

from hub.broker.acceptance import Acceptance
from hub.broker.inproc_end import ControlPipe, Delay, End, no_delay
from hub.broker.ledger import Ledger
from hub.broker.pipe import Frames, Pipe
from protocols.bus import BusCounters, BusTap, Handler, Snapshot
from protocols.codecs.bus import encode
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import BusError, MalformedFrame, PeerOverrun, UnknownPeer
from protocols.link import TOTAL_BYTES
from protocols.messages.agent import AgentHello
from protocols.qos import Lane, QosClass, QueueDepth
from protocols.topics import topic_name

RETRY_S = 0.1
"""How long a peer that was cut off waits before it registers again."""


class InprocBroker:
    """Joins one hub and any number of agents and observers on one event loop.

    ``clock`` gives the hub's nanoseconds. A restart of the hub is a second ``hub_bus`` with a new
    ``boot``, opened after the first was closed.
    """

    def __init__(self, clock: Callable[[], int], delay: Delay = no_delay) -> None:
        self.clock = clock
        self.delay = delay
        self.hub: InprocHubBus | None = None
        self.ends: dict[str, End] = {}
        self.waiting: dict[str, InprocAgentBus] = {}

    def hub_bus(self, boot: int = 1, name: str = "hub") -> "InprocHubBus":
        """A run of the hub."""
        return InprocHubBus(self, boot, name)

    def agent_bus(self, name: str, hello: AgentHello) -> "InprocAgentBus":
        """An agent's end, announced to the hub by ``hello``."""
        return InprocAgentBus(self, name, hello)

    def observer(self, name: str) -> "InprocAgentBus":
        """An end that listens and is announced to nobody."""
        return InprocAgentBus(self, name, None)

    def cut(self, name: str, reason: str = "cut", seconds: float = RETRY_S) -> None:
        """Break an agent's link; it registers again after ``seconds`` (``math.inf``: never)."""
        end = self.ends.get(name)
        if isinstance(end, InprocAgentBus):
            end.unlink(reason)
            if seconds < math.inf:
                asyncio.get_running_loop().call_later(seconds, self.register, end)

    def register(self, agent: "InprocAgentBus") -> None:
        """Link an agent to the hub as soon as there is one."""
        if not agent.is_open:
            return
        self.waiting[agent.name] = agent
        if self.hub is not None:
            asyncio.get_running_loop().call_soon(self._link_waiting)

    def _link_waiting(self) -> None:
        while self.waiting and self.hub is not None:
            agent = self.waiting.pop(next(iter(self.waiting)))
            self.ends[agent.name] = agent
            agent.link(self.hub)

    def forward_media(self, envelope: AnyEnvelope, frames: Frames) -> None:
        """Hand a media frame to every end that wants it."""
        for end in self.ends.values():
            end.offer_media(envelope, frames)

    def observe(self, envelope: AnyEnvelope, frames: Frames) -> None:
        """Hand an accepted fact to every agent and observer that wants it."""
        for end in self.ends.values():
            if isinstance(end, InprocAgentBus) and end.wants(envelope):
                end.events.push(frames, self.delay(envelope) or 0.0)


class InprocHubBus(End):
    """``HubBus`` inside a process; see :class:`InprocBroker`."""

    def __init__(self, broker: InprocBroker, boot: int, name: str) -> None:
        super().__init__(name, broker.delay)
        self._broker = broker
        self._ledger = Ledger(boot)
        self._acceptance = Acceptance(self._ledger, broker.clock, act=self._act, show=self._show)
        self._joined: list[Callable[[str, AnyEnvelope], None]] = []
        self._left: list[Callable[[str, str], None]] = []

    @property
    def boot(self) -> int:
        return self._ledger.boot

    @property
    def counters(self) -> BusCounters:
        return self._routes.counters._replace(duplicates=self._ledger.duplicates)

    @property
    def peers(self) -> tuple[str, ...]:
        return tuple(name for name, agent in self._agents().items() if agent.hello is not None)

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        envelope.cause = envelope.cause or self._acceptance.acting_on
        line, frames = self._stamped(envelope, blob)
        if line.command:
            raise BusError(f"{topic_name(line.message)} is a command: send it to an instance")
        if line.lane is Lane.MEDIA:
            self._broker.forward_media(envelope, frames)
        else:
            self._acceptance.publish(frames[0], envelope, len(frames[1]))

    def send(self, peer: str, envelope: AnyEnvelope) -> None:
        agent = self._agents().get(peer)
        if agent is None or agent.hello is None:
            raise UnknownPeer(f"{peer} is not linked")
        envelope.cause = envelope.cause or self._acceptance.acting_on
        try:
            agent.commands.push(self._stamped(envelope, b"")[1], envelope)
        except PeerOverrun as overrun:
            self._broker.cut(peer, str(overrun))
            return
        if self._acceptance.tap is not None:
            self._acceptance.tap.command(peer, envelope)

    def tap(self, tap: BusTap) -> None:
        self._acceptance.tap = tap

    def depths(self) -> Iterable[QueueDepth]:
        for name, agent in self._agents().items():
            waiting = agent.commands.waiting_bytes
            yield QueueDepth("bus.commands_bytes", name, waiting, TOTAL_BYTES)

    def on_peers(
        self, joined: Callable[[str, AnyEnvelope], None], left: Callable[[str, str], None]
    ) -> None:
        self._joined.append(joined)
        self._left.append(left)

    async def snapshot(self, robot: str) -> Snapshot:
        return self._ledger.snapshot(robot)

    async def replay(self, robot: str, boot: int, after: int) -> tuple[AnyEnvelope, ...] | None:
        return self._ledger.replay(robot, boot, after)

    async def drain(self) -> None:
        for agent in self._agents().values():
            await agent.commands.drain()

    async def open(self) -> None:
        """Take the place of the hub; agents that wait are linked in the next round.

        Raises:
            BusError: there is a hub already.
        """
        if self._broker.hub is not None:
            raise BusError(f"{self._broker.hub.name} is open")
        self.is_open = True
        self._broker.hub = self
        self._broker.ends[self.name] = self
        for agent in list(self._broker.waiting.values()):
            self._broker.register(agent)

    async def close(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        for name in self._agents():
            self._broker.cut(name, "the hub is closing", seconds=0)
        del self._broker.ends[self.name]
        self._broker.hub = None
        self._media.clear()

    async def __aenter__(self) -> "InprocHubBus":
        await self.open()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self.close()

    def welcome(self, name: str, hello: AnyEnvelope) -> None:
        """A linked agent has said who it is."""
        for joined in self._joined:
            joined(name, hello)

    def miss(self, name: str, reason: str) -> None:
        """An agent's link is gone."""
        for left in self._left:
            left(name, reason)

    def accept(self, agent: "InprocAgentBus", frames: Frames) -> None:
        """A fact of an agent: enter it, act on it, then show it to everybody."""
        envelope = self._decoded(frames)
        if envelope is None:
            return
        if agent.hello is None or isinstance(envelope.body, AgentHello):
            self._routes.refuse(MalformedFrame(f"{agent.name} may not publish {frames[0]!r}"))
            return
        envelope.src = agent.name
        self._acceptance.take(frames[0], envelope, len(frames[1]))

    def _act(self, topic: bytes, envelope: AnyEnvelope) -> None:
        self._routes.deliver(topic, envelope)

    def _show(self, _: bytes, envelope: AnyEnvelope) -> None:
        self._broker.observe(envelope, encode(envelope))

    def _agents(self) -> "dict[str, InprocAgentBus]":
        return {n: e for n, e in self._broker.ends.items() if isinstance(e, InprocAgentBus)}


class InprocAgentBus(End):
    """``AgentBus`` inside a process; without ``hello`` it is an observer's end."""

    def __init__(self, broker: InprocBroker, name: str, hello: AgentHello | None) -> None:
        super().__init__(name, broker.delay)
        self.hello = hello
        self._broker = broker
        self.commands = ControlPipe(self._command_in, broker.delay)
        self.facts = ControlPipe(self._fact_out, broker.delay)
        self.events = Pipe(self._event_in, lambda: None)
        self._hub: InprocHubBus | None = None
        self._boot = 0
        self._handlers: list[Handler] = []
        self._up: list[Callable[[], None]] = []
        self._down: list[Callable[[str], None]] = []
        self._linked = asyncio.Event()

    def serve(self, handler: Handler) -> None:
        self._handlers.append(handler)

    def on_link(self, up: Callable[[], None], down: Callable[[str], None]) -> None:
        self._up.append(up)
        self._down.append(down)

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        line, frames = self._stamped(envelope, blob)
        if line.command:
            raise BusError(f"{topic_name(line.message)} is a command: only the hub gives those")
        if line.qos is QosClass.TELEMETRY and self._hub is None:
            self._routes.dropped[topic_name(line.message)] += 1
        elif line.lane is Lane.CONTROL:
            self.facts.push(frames, envelope)
        elif self._hub is not None:
            self._broker.forward_media(envelope, frames)

    async def snapshot(self, robot: str) -> Snapshot:
        return await self._linked_hub().snapshot(robot)

    async def replay(self, robot: str, boot: int, after: int) -> tuple[AnyEnvelope, ...] | None:
        return await self._linked_hub().replay(robot, boot, after)

    async def drain(self) -> None:
        await self.facts.drain()

    async def open(self) -> None:
        self.is_open = True
        self._broker.register(self)
        await self._linked.wait()

    async def close(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._broker.waiting.pop(self.name, None)
        self.unlink("closed")

    async def __aenter__(self) -> "InprocAgentBus":
        await self.open()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self.close()

    def link(self, hub: InprocHubBus) -> None:
        """Registered: the hub learns of it first, then what waited is sent."""
        self._hub = hub
        self.commands.restart()
        if self.hello is not None:
            hub.welcome(self.name, Envelope[Message](src=self.name, body=self.hello))
        if hub.boot != self._boot:
            # Another run of the hub knows nothing of what these facts speak of.
            if self._boot and (lost := self.facts.forget()):
                self._routes.dropped["control"] += lost
            self._boot = hub.boot
        self.facts.restart()
        self._linked.set()
        for up in self._up:
            up()

    def unlink(self, reason: str) -> None:
        """The link is gone: the hub is told, and so is this agent."""
        hub, self._hub = self._hub, None
        self._broker.ends.pop(self.name, None)
        if hub is None:
            return
        self._linked.clear()
        self._media.clear()
        self.events.clear()
        self.commands.stop()
        self.commands.forget()
        self.facts.stop()
        if self.hello is not None:
            hub.miss(self.name, reason)
        for down in self._down:
            down(reason)

    def _command_in(self, frames: Frames) -> None:
        envelope = self._decoded(frames)
        if envelope is not None:
            for handler in self._handlers:
                handler(envelope, frames[2])

    def _fact_out(self, frames: Frames) -> None:
        if self._hub is not None:
            self._hub.accept(self, frames)

    def _event_in(self, frames: Frames) -> None:
        envelope = self._decoded(frames)
        if envelope is not None:
            self._routes.deliver(frames[0], envelope)

    def _linked_hub(self) -> InprocHubBus:
        if self._hub is None:
            raise BusError(f"{self.name} is not linked")
        return self._hub
