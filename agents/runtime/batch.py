"""Hosts a batch service: sessions by robot, served by plain calls on the loop."""

from collections.abc import Callable

import structlog

from agents.runtime import log
from agents.runtime.errors import AgentError
from agents.runtime.host import Guarded
from agents.runtime.outlet import Outlet, StampedEmit
from agents.runtime.scopes import Opened, is_older
from agents.runtime.service import BatchService, Scope
from protocols.bus import AgentBus
from protocols.envelope import AnyEnvelope
from protocols.messages.session import SessionAssign, SessionRelease
from protocols.topics import CATALOG, topic_name

_log = structlog.get_logger()


class _Session:
    """An open session; ``last_id`` is the message it was last told."""

    __slots__ = ("last_id", "opening")

    def __init__(self, opening: AnyEnvelope) -> None:
        self.opening = opening
        self.last_id = opening.id


class BatchHost:
    """Opens, feeds and closes the sessions of one batch service."""

    def __init__(
        self,
        service: BatchService,
        bus: AgentBus,
        outlet: Outlet,
        *,
        guarded: Guarded,
        ended: Callable[[], None],
    ) -> None:
        self._service = service
        self._bus = bus
        self._outlet = outlet
        self._ended = ended
        self._hear = guarded(self.deliver)
        self._sessions: dict[str, _Session] = {}
        self._opened = Opened(Scope.SESSION)
        self._heard = [m for m in service.consumes if not CATALOG[topic_name(m)].command]

    @property
    def active(self) -> int:
        """Sessions that are open now."""
        return len(self._sessions)

    def command(self, envelope: AnyEnvelope, blob: bytes, refusal: AgentError | None) -> None:
        """Take a command of the hub; an assignment is answered with ``refusal`` if there is one."""
        match envelope.body:
            case SessionAssign():
                if refusal is not None:
                    self._outlet.fail(Scope.SESSION, envelope, refusal)
                else:
                    self._begin(envelope)
            case SessionRelease():
                self._release(envelope)
            case body if type(body) in self._service.consumes:
                self.deliver(envelope, blob)

    def deliver(self, envelope: AnyEnvelope, blob: bytes) -> None:
        """Hand a message to the service if its session is open."""
        session = self._sessions.get(envelope.robot)
        if session is None:
            self._outlet.count("no_scope")
        elif is_older(envelope, session.opening):
            self._outlet.count("stale_input")
        else:
            session.last_id = envelope.id
            try:
                self._service.handle(envelope, blob)
            except AgentError as error:
                self._fail(session, error)

    def drained(self) -> None:
        """Everything the media lane had is handed out."""
        for robot, error in self._service.drained().items():
            self._fail(self._sessions[robot], error)

    def fence(self, robot: str, turn: int) -> None:
        """Sessions outlive turns."""

    def cancel_job(self, job: int) -> None:
        """Sessions are no jobs."""

    def cancel_all(self) -> None:
        """Close every session."""
        for session in list(self._sessions.values()):
            self._end(session)

    def _begin(self, opening: AnyEnvelope) -> None:
        if not self._opened.enter(opening):
            self._outlet.count("finished_open")
            return
        session = _Session(opening)
        emit = StampedEmit(
            self._outlet,
            opening,
            self._service.produces,
            alive=lambda: self._sessions.get(opening.robot) is session,
            cause=lambda: session.last_id,
        )
        if opening.robot not in self._sessions:
            for message in self._heard:
                self._bus.subscribe(message, self._hear, opening.robot)
        self._sessions[opening.robot] = session
        try:
            self._service.open(opening, emit)
        except AgentError as error:
            self._fail(session, error)

    def _release(self, release: AnyEnvelope) -> None:
        session = self._sessions.get(release.robot)
        if session is None or release.session != session.opening.session:
            self._outlet.count("no_scope")
        elif is_older(release, session.opening):
            self._outlet.count("stale_input")
        else:
            self._end(session)

    def _fail(self, session: _Session, error: AgentError) -> None:
        _log.warning(log.SCOPE_FAILED, robot=session.opening.robot, code=error.code)
        self._outlet.fail(Scope.SESSION, session.opening, error)
        self._end(session)

    def _end(self, session: _Session) -> None:
        robot = session.opening.robot
        del self._sessions[robot]
        for message in self._heard:
            self._bus.unsubscribe(message, self._hear, robot)
        self._service.close(robot)
        self._ended()
