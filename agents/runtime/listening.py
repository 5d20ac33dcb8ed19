"""Hosts a listening service: everything of its topics, from all robots, by plain calls."""

from agents.runtime.errors import AgentError
from agents.runtime.host import Guarded
from agents.runtime.service import ListeningService
from protocols.bus import AgentBus
from protocols.envelope import AnyEnvelope


class ListeningHost:
    """Subscribes a service once and for all. It has no scopes, so nothing opens, ends or is
    fenced."""

    active = 0

    def __init__(self, service: ListeningService, bus: AgentBus, *, guarded: Guarded) -> None:
        self._service = service
        for message in service.consumes:
            bus.subscribe(message, guarded(service.handle))

    def command(self, envelope: AnyEnvelope, blob: bytes, refusal: AgentError | None) -> None:
        """Commands are for scopes."""

    def drained(self) -> None:
        """Nothing is batched."""

    def fence(self, robot: str, turn: int) -> None:
        """Nothing belongs to a turn."""

    def cancel_job(self, job: int) -> None:
        """Nothing is a job."""

    def cancel_all(self) -> None:
        """There is nothing to cancel."""
