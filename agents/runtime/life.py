"""The life of an agent on the bus: load, announce, beat, serve, leave."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import structlog

from agents.runtime import footprint, log
from agents.runtime.death import deaths_told_to
from agents.runtime.errors import BackendUnavailable, EngineDied
from agents.runtime.latch import Latch
from agents.runtime.progress import reporting_to
from agents.runtime.runner import ServiceRunner
from agents.runtime.service import AnyService, Backend, BatchService, Counting, ListeningService
from agents.runtime.slot import EngineSlot
from protocols.bus import AgentBus
from protocols.envelope import Envelope, Message
from protocols.errors import PeerOverrun
from protocols.messages.agent import (
    AgentHeartbeat,
    AgentHello,
    AgentKind,
    AgentProgress,
    AgentReady,
)
from protocols.messages.job import WorkHold
from protocols.messages.model import ModelState
from protocols.topics import topic_name

BEAT_S = 0.5
HUBLESS_S = 60.0
"""How long an agent keeps its models without a hub."""
DRAIN_GRACE_S = 5.0
"""How long open scopes may still run once the agent leaves."""

_log = structlog.get_logger()


class Loaded(NamedTuple):
    """What an agent turned out to be once its backend has started."""

    capacity: int
    model: str = ""
    info: Mapping[str, str] = {}


class Agent(NamedTuple):
    """What a process serves. ``capacity`` scopes may be open at once; the hub counts them.

    ``loaded`` is asked after the start, where only then capacity, model and info are known, and
    again whenever the engine of ``slot`` is another. The backend of an agent with a slot is one
    that takes its engines from there. One with a ``latch`` does long work, and holds it while a
    robot is being answered. ``beside`` is what else goes on for as long as the agent lives.
    """

    backend: Backend
    services: Sequence[AnyService]
    capacity: int
    model: str = ""
    info: Mapping[str, str] = {}
    loaded: Callable[[], Loaded] | None = None
    slot: EngineSlot[Any] | None = None
    latch: Latch | None = None
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None


def hello_of(kind: AgentKind, role: str, agent: Agent, pid: int) -> AgentHello:
    """How an agent presents itself when it registers."""
    consumes: set[type[Message]] = set()
    produces: set[type[Message]] = set()
    for service in agent.services:
        consumes |= service.consumes
        produces |= service.produces
        if not isinstance(service, BatchService | ListeningService):
            consumes |= service.opens | service.closes
    if agent.latch is not None:
        consumes.add(WorkHold)
    return AgentHello(
        kind=kind,
        role=role,
        backend=agent.backend.name,
        pid=pid,
        consumes=tuple(sorted(map(topic_name, consumes))),
        produces=tuple(sorted(map(topic_name, produces))),
    )


class AgentProcess:
    """One agent from its first registration to its end.

    ``hello`` is how it registers, where it has a slot; ``clock`` gives monotonic nanoseconds;
    ``started`` is called once, when everything is loaded, and ``beating`` at every heartbeat.
    """

    def __init__(
        self,
        bus: AgentBus,
        agent: Agent,
        *,
        clock: Callable[[], int],
        started: Callable[[], None] = lambda: None,
        beating: Callable[[], None] = lambda: None,
        hello: AgentHello | None = None,
    ) -> None:
        self._bus = bus
        self._hello = hello
        self._agent = agent
        self._clock = clock
        self._started = started
        self._beating = beating
        self._runner = ServiceRunner(
            bus, agent.services, clock=clock, on_drain=self._begin_to_leave, latch=agent.latch
        )
        self._ready: AgentReady | None = None
        self._failure: BackendUnavailable | EngineDied | None = None
        self._is_linked = False
        self._leaving = asyncio.Event()
        self._counting = [s for s in agent.services if isinstance(s, Counting)]

    async def run(self) -> None:
        """Live until drained or a minute without a hub.

        Raises:
            BackendUnavailable: the backend could not be started.
            EngineDied: the engine ended by itself; what was open has failed.
            ExceptionGroup: a bug in a service or in the backend.
        """
        self._bus.on_link(self._link_up, self._link_lost)
        try:
            with deaths_told_to(self._engine_died), reporting_to(self._progress_reporter()):
                await self._live()
        finally:
            await self._bus.close()
            await self._agent.backend.close()
        if self._failure is not None:
            raise self._failure

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            # The runner's first step comes before the bus's: no command finds it missing.
            serving = tasks.create_task(self._runner.run(), name="runner")
            helpers = [
                tasks.create_task(self._bus.open(), name="bus"),
                tasks.create_task(self._load(), name="backend"),
                tasks.create_task(self._beat(), name="heartbeat"),
            ]
            if self._agent.slot is not None:
                self._agent.slot.on_change(self._model_changed)
                helpers.append(tasks.create_task(self._agent.slot.run(), name="slot"))
            if self._agent.beside is not None:
                helpers.append(tasks.create_task(self._agent.beside(), name="beside"))
            await self._leaving.wait()
            await asyncio.wait([serving], timeout=DRAIN_GRACE_S)
            self._runner.stop()
            for helper in helpers:
                helper.cancel()

    def drain(self, reason: str) -> None:
        """Take nothing new, finish what is open, then leave."""
        if not self._runner.draining:
            _log.info(log.AGENT_DRAINING, reason=reason)
            self._runner.drain()

    def _engine_died(self, death: EngineDied) -> None:
        if not self._runner.draining:
            self._failure = death
            self.drain("engine died")

    def _begin_to_leave(self) -> None:
        self._announce()
        self._leaving.set()

    async def _load(self) -> None:
        """Start the backend and announce it."""
        backend, began_ns = self._agent.backend, self._clock()
        _log.info(log.AGENT_STARTING, backend=backend.name)
        try:
            await backend.start()
        except BackendUnavailable as error:
            self._failure = error
            self.drain("no backend")
            return
        self._ready = self._turned_out((self._clock() - began_ns) / 1e6)
        self._started()
        _log.info(log.AGENT_READY, backend=backend.name, model=self._ready.model)
        self._announce()

    def _turned_out(self, selftest_ms: float) -> AgentReady:
        agent = self._agent.loaded() if self._agent.loaded is not None else self._agent
        return AgentReady(
            capacity=agent.capacity,
            backend=self._agent.backend.name,
            model=agent.model,
            selftest_ms=selftest_ms,
            info=dict(agent.info),
        )

    def _model_changed(self) -> None:
        """Tell how the slot stands, and, where the engine is another, what the agent is now."""
        self._publish_model()
        if self._ready is not None:
            ready = self._turned_out(self._ready.selftest_ms)
            if ready != self._ready:
                self._ready = ready
                self._announce()

    def _publish_model(self) -> None:
        slot, hello = self._agent.slot, self._hello
        if slot is not None and hello is not None:
            report = slot.report
            self._publish(
                ModelState(
                    kind=hello.kind,
                    role=hello.role,
                    state=report.state,
                    model=report.model,
                    memory_mib=footprint.resident_mib(),
                    detail=report.detail,
                )
            )

    async def _beat(self) -> None:
        """Say twice a second that this loop is alive; leave if nobody has listened for long."""
        loop = asyncio.get_running_loop()
        due = hub_seen = loop.time()
        while True:
            due += BEAT_S
            await asyncio.sleep(due - loop.time())
            now = loop.time()
            lag_ms = max(0.0, now - due) * 1_000
            due = max(due, now - BEAT_S)
            self._beating()
            if self._is_linked:
                hub_seen = now
                self._publish(self._heartbeat(lag_ms))
            elif now - hub_seen >= HUBLESS_S:
                self.drain("no hub")

    def _heartbeat(self, lag_ms: float) -> AgentHeartbeat:
        counters = self._bus.counters
        drops = Counter(self._runner.drops)
        counts_of: dict[str, Mapping[str, int]] = {"lost": counters.lost, "bus": counters.dropped}
        for service in self._counting:
            counts_of[service.name] = service.counters
        for kind, counts in counts_of.items():
            drops.update({f"{kind}.{name}": number for name, number in counts.items() if number})
        return AgentHeartbeat(
            active=self._runner.active,
            lag_ms=round(lag_ms, 1),
            fences=self._runner.fences,
            drops=dict(drops),
        )

    def _announce(self) -> None:
        """Tell the hub how many scopes may be open; none while draining."""
        if self._ready is not None:
            draining = self._runner.draining
            ready = msgspec.structs.replace(self._ready, capacity=0) if draining else self._ready
            self._publish(ready)

    def _progress_reporter(self) -> Callable[[AgentProgress], None]:
        loop = asyncio.get_running_loop()

        def report(progress: AgentProgress) -> None:
            loop.call_soon_threadsafe(self._publish, progress)

        return report

    def _publish(self, message: Message) -> None:
        """Tell the hub, if there is one; it hears all this again when it registers the agent."""
        if self._is_linked:
            # A control queue that is full means that the link is being given up.
            with suppress(PeerOverrun):
                self._bus.publish(Envelope(t_src_ns=self._clock(), body=message))

    def _link_up(self) -> None:
        _log.info(log.LINK_UP)
        self._is_linked = True
        self._announce()
        self._publish_model()

    def _link_lost(self, reason: str) -> None:
        _log.warning(log.LINK_LOST, reason=reason)
        self._is_linked = False
        self._runner.link_lost()
