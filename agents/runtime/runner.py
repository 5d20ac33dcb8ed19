"""Keeps the promises of ``service.py`` for all services of a process."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents.runtime.batch import BatchHost
from agents.runtime.errors import AgentDraining, AgentError
from agents.runtime.host import ServiceHost
from agents.runtime.latch import Latch
from agents.runtime.listening import ListeningHost
from agents.runtime.outlet import Outlet
from agents.runtime.service import AnyService, BatchService, ListeningService
from protocols.bus import AgentBus
from protocols.envelope import AnyEnvelope
from protocols.identity import Fence, Stamp
from protocols.messages.agent import AgentDrain
from protocols.messages.job import JobCancel, WorkHold
from protocols.messages.turn import TurnCancel


class ServiceRunner:
    """Routes what the bus delivers to scopes, and what scopes emit to the bus.

    ``run`` must have begun before the bus opens. A cancel acts here, on the loop, the moment it
    comes: nothing that waits in an inbox is before it.
    """

    def __init__(
        self,
        bus: AgentBus,
        services: Sequence[AnyService],
        *,
        clock: Callable[[], int],
        on_drain: Callable[[], None] = lambda: None,
        latch: Latch | None = None,
    ) -> None:
        self._bus = bus
        self._services = services
        self._outlet = Outlet(bus, clock)
        self._on_drain = on_drain
        self._latch = latch
        self._hosts: list[ServiceHost | BatchHost | ListeningHost] = []
        self._fences: dict[str, Fence] = {}
        self._refusal: AgentError | None = None
        self._over = asyncio.Event()
        self._bug: Exception | None = None

    @property
    def active(self) -> int:
        """Scopes and sessions that are open now."""
        return sum(host.active for host in self._hosts)

    @property
    def fences(self) -> dict[str, int]:
        """The highest stale turn of every robot that has one."""
        return {robot: fence.at.turn for robot, fence in self._fences.items()}

    @property
    def drops(self) -> Mapping[str, int]:
        """What was thrown away, by the name of the reason."""
        return self._outlet.drops

    @property
    def draining(self) -> bool:
        """Nothing new is taken."""
        return self._refusal is not None

    async def run(self) -> None:
        """Serve until drained or stopped.

        Raises:
            ExceptionGroup: what a service raised that is no ``AgentError``: a bug.
        """
        async with asyncio.TaskGroup() as tasks:
            self._hosts = [self._host(service, tasks) for service in self._services]
            self._bus.serve(self._guarded(self._command))
            self._bus.on_media_drained(self._guarded(self._drained))
            try:
                await self._over.wait()
            finally:
                for host in self._hosts:
                    host.cancel_all()
            if self._bug is not None:
                raise self._bug

    def drain(self) -> None:
        """Refuse new scopes; ``run`` returns once the open ones have ended."""
        if self._refusal is None:
            self._refusal = AgentDraining("the agent is leaving")
            self._on_drain()
            self._scope_ended()

    def stop(self) -> None:
        """Cancel every scope; ``run`` returns."""
        self._over.set()

    def link_lost(self) -> None:
        """The hub is gone, and with it whoever waited for the open scopes. Fences stay."""
        if self._latch is not None:
            self._latch.set(False)
        for host in self._hosts:
            host.cancel_all()

    def _host(
        self, service: AnyService, tasks: asyncio.TaskGroup
    ) -> ServiceHost | BatchHost | ListeningHost:
        if isinstance(service, BatchService):
            return BatchHost(
                service, self._bus, self._outlet, guarded=self._guarded, ended=self._scope_ended
            )
        if isinstance(service, ListeningService):
            return ListeningHost(service, self._bus, guarded=self._guarded)
        return ServiceHost(
            service,
            self._bus,
            self._outlet,
            tasks,
            self._fences,
            guarded=self._guarded,
            ended=self._scope_ended,
        )

    def _guarded(self, step: Callable[..., None]) -> Callable[..., None]:
        """``step`` for the bus to call: a bug in it ends ``run``, not the bus."""

        def call(*args: Any) -> None:
            if self._over.is_set():
                return
            try:
                step(*args)
            except Exception as error:
                self._bug = error
                self._over.set()

        return call

    def _command(self, envelope: AnyEnvelope, blob: bytes) -> None:
        match envelope.body:
            case TurnCancel():
                self._fence(envelope)
            case JobCancel():
                for host in self._hosts:
                    host.cancel_job(envelope.job)
            case AgentDrain():
                self.drain()
            case WorkHold(held=held) if self._latch is not None:
                self._latch.set(held)
        for host in self._hosts:
            host.command(envelope, blob, self._refusal)

    def _fence(self, cancel: AnyEnvelope) -> None:
        fence = self._fences.setdefault(cancel.robot, Fence())
        if fence.raise_to(Stamp(cancel.epoch, cancel.turn)):
            for host in self._hosts:
                host.fence(cancel.robot, fence.at.turn)

    def _drained(self) -> None:
        for host in self._hosts:
            if isinstance(host, BatchHost):
                host.drained()

    def _scope_ended(self) -> None:
        if self.draining and self.active == 0:
            self._over.set()
