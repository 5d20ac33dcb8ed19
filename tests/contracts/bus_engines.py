"""The engines of the bus as the conformance suite drives them."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from agents.runtime.bus.zmq import ZmqAgentBus
from hub.broker.inproc import InprocBroker
from hub.broker.ledger import Ledger
from hub.broker.zmq import ZmqHubBus
from protocols.bus import AgentBus, HubBus
from protocols.envelope import AnyEnvelope
from protocols.link import LinkTiming
from protocols.messages.agent import AgentHello, AgentKind

SWIFT = LinkTiming(
    beat_s=0.05, silence_s=0.5, resend_s=0.1, probe_s=0.002, retry_s=0.005, retry_max_s=0.02
)
PATIENCE_S = 5.0


class Engine(Protocol):
    """Makes the ends of one bus; every end is used as a context manager."""

    def hub(self, boot: int = 1) -> HubBus: ...

    def agent(self, name: str, kind: AgentKind = AgentKind.EARS) -> AgentBus: ...

    def observer(self, name: str) -> AgentBus: ...


class ZmqEngine:
    """Real sockets in a directory of the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "bus"

    def hub(self, boot: int = 1, ledger: Ledger | None = None) -> ZmqHubBus:
        return ZmqHubBus(self.directory, boot, clock=time.monotonic_ns, ledger=ledger, timing=SWIFT)

    def agent(self, name: str, kind: AgentKind = AgentKind.EARS) -> ZmqAgentBus:
        hello = AgentHello(kind=kind)
        return ZmqAgentBus(self.directory, name, hello, timing=SWIFT, rng=random.Random(name))

    def observer(self, name: str) -> ZmqAgentBus:
        return ZmqAgentBus(self.directory, name, None, timing=SWIFT, rng=random.Random(name))


class InprocEngine:
    """The engine of the simulator, here on a real loop."""

    def __init__(self) -> None:
        self._broker = InprocBroker(time.monotonic_ns)

    def hub(self, boot: int = 1) -> HubBus:
        return self._broker.hub_bus(boot)

    def agent(self, name: str, kind: AgentKind = AgentKind.EARS) -> AgentBus:
        return self._broker.agent_bus(name, AgentHello(kind=kind))

    def observer(self, name: str) -> AgentBus:
        return self._broker.observer(name)


class Heard:
    """A handler that keeps what it is given and lets a test wait for it."""

    def __init__(self) -> None:
        self.envelopes: list[AnyEnvelope] = []
        self.blobs: list[bytes] = []
        self._changed = asyncio.Event()

    def __call__(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        self.envelopes.append(envelope)
        self.blobs.append(blob)
        self._changed.set()

    @property
    def bodies(self) -> list[object]:
        return [e.body for e in self.envelopes]

    @property
    def robots(self) -> list[str]:
        return [e.robot for e in self.envelopes]

    async def count(self, wanted: int) -> list[AnyEnvelope]:
        """Wait until that many came."""
        await self.until(lambda: len(self.envelopes) >= wanted)
        return self.envelopes

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that something heard brings about."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


class PeerLog:
    """Comings and goings as the hub sees them."""

    def __init__(self, hub: HubBus) -> None:
        self.events: list[tuple[str, ...]] = []
        self._changed = asyncio.Event()
        hub.on_peers(self._joined, self._left)

    def _joined(self, name: str, hello: AnyEnvelope) -> None:
        assert isinstance(hello.body, AgentHello)
        self.events.append(("joined", name))
        self._changed.set()

    def _left(self, name: str, reason: str) -> None:
        self.events.append(("left", name, reason))
        self._changed.set()

    async def next(self, kind: str, name: str) -> tuple[str, ...]:
        """Wait for the next event of that kind and peer, forgetting those before it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self.events:
                    event = self.events.pop(0)
                    if event[:2] == (kind, name):
                        return event
                self._changed.clear()
                await self._changed.wait()


class LinkLog:
    """The link as its agent sees it."""

    def __init__(self, agent: AgentBus) -> None:
        self.ups = 0
        self.downs: list[str] = []
        self._changed = asyncio.Event()
        agent.on_link(self._up, self._down)

    def _up(self) -> None:
        self.ups += 1
        self._changed.set()

    def _down(self, reason: str) -> None:
        self.downs.append(reason)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def opened(*ends: AbstractAsyncContextManager[object]) -> AsyncIterator[None]:
    """All ends open, the first one (the hub) first."""
    async with asyncio.timeout(4 * PATIENCE_S):
        if not ends:
            yield
            return
        async with ends[0], opened(*ends[1:]):
            yield
