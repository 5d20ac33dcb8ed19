"""Hosts a service: one task per scope, from its opening command to its end."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from agents.runtime import log
from agents.runtime.errors import AgentError, InboxOverrun
from agents.runtime.inbox import ScopeInbox
from agents.runtime.outlet import Outlet, StampedEmit
from agents.runtime.scopes import Key, Opened, is_older, key_of
from agents.runtime.service import Scope, Service
from protocols.bus import AgentBus, Handler
from protocols.envelope import AnyEnvelope
from protocols.identity import Fence
from protocols.messages.session import SessionRelease
from protocols.topics import CATALOG, topic_name

_log = structlog.get_logger()

Guarded = Callable[[Handler], Handler]
"""Makes a handler for the bus whose bugs end the runner."""


class _OpenScope:
    """One run of ``serve``. It is alive as long as it stands in its host's table."""

    def __init__(self, key: Key, opening: AnyEnvelope, inbox: ScopeInbox) -> None:
        self.key = key
        self.opening = opening
        self.inbox = inbox
        self.task: asyncio.Task[None] | None = None


class ServiceHost:
    """Opens, feeds and ends the scopes of one service."""

    def __init__(
        self,
        service: Service,
        bus: AgentBus,
        outlet: Outlet,
        tasks: asyncio.TaskGroup,
        fences: Mapping[str, Fence],
        *,
        guarded: Guarded,
        ended: Callable[[], None],
    ) -> None:
        self._service = service
        self._bus = bus
        self._outlet = outlet
        self._tasks = tasks
        self._fences = fences
        self._ended = ended
        self._hear = guarded(self.deliver)
        self._open: dict[Key, _OpenScope] = {}
        self._opened = Opened(service.scope)
        self._commands = service.opens | service.consumes | service.closes
        self._heard = [m for m in service.consumes if not CATALOG[topic_name(m)].command]

    @property
    def active(self) -> int:
        """Scopes that are open now."""
        return len(self._open)

    def command(self, envelope: AnyEnvelope, blob: bytes, refusal: AgentError | None) -> None:
        """Take a command of the hub; an opening one is answered with ``refusal`` if there is one."""
        message = type(envelope.body)
        if message in self._service.opens and not self._goes_on(envelope):
            if refusal is not None:
                self._outlet.fail(self._service.scope, envelope, refusal)
            else:
                self._begin(envelope, blob)
        elif message in self._commands:
            self.deliver(envelope, blob)
        elif message is SessionRelease and self._service.scope is Scope.SESSION:
            scope = self._open.get(key_of(Scope.SESSION, envelope))
            if scope is not None:
                scope.inbox.close()

    def deliver(self, envelope: AnyEnvelope, blob: bytes) -> None:
        """Put a message into the inbox of the scope it belongs to."""
        scope = self._open.get(key_of(self._service.scope, envelope))
        if scope is None:
            self._outlet.count("no_scope")
        elif is_older(envelope, scope.opening):
            self._outlet.count("stale_input")
        else:
            self._put(scope, envelope, blob)

    def fence(self, robot: str, turn: int) -> None:
        """End every scope of ``robot`` whose turn is ``turn`` or older, whatever its inbox holds."""
        if self._service.scope is Scope.TURN:
            for scope in self._of(robot):
                if scope.opening.turn <= turn:
                    self._end(scope)

    def cancel_job(self, job: int) -> None:
        """End the scope of ``job``."""
        scope = self._open.get(("", job)) if self._service.scope is Scope.JOB else None
        if scope is not None:
            self._end(scope)

    def cancel_all(self) -> None:
        """End every scope; jobs may be numbered anew after it."""
        for scope in list(self._open.values()):
            self._end(scope)
        self._opened.forget_jobs()

    def _goes_on(self, envelope: AnyEnvelope) -> bool:
        """Whether an opening message is a further one of a scope that is open already."""
        return (
            type(envelope.body) in self._service.consumes
            and key_of(self._service.scope, envelope) in self._open
        )

    def _begin(self, opening: AnyEnvelope, blob: bytes) -> None:
        fence = self._fences.get(opening.robot)
        if fence is not None and self._service.scope is Scope.TURN and fence.is_stale(opening.turn):
            self._outlet.count("fenced_open")
            return
        if not self._opened.enter(opening):
            self._outlet.count("finished_open")
            return
        if self._service.scope is Scope.SESSION:
            for older in self._of(opening.robot):
                self._end(older)
        scope = _OpenScope(
            key_of(self._service.scope, opening), opening, ScopeInbox(self._outlet.count)
        )
        if not self._of(opening.robot):
            for message in self._heard:
                self._bus.subscribe(message, self._hear, opening.robot)
        self._open[scope.key] = scope
        self._put(scope, opening, blob)
        scope.task = self._tasks.create_task(self._serve(scope), name=self._service.name)

    async def _serve(self, scope: _OpenScope) -> None:
        opening = scope.opening
        structlog.contextvars.bind_contextvars(
            robot=opening.robot, session=opening.session, turn=opening.turn, job=opening.job
        )
        emit = StampedEmit(
            self._outlet,
            opening,
            self._service.produces,
            alive=lambda: self._is_alive(scope),
            cause=lambda: scope.inbox.last_id,
        )
        try:
            await self._service.serve(scope.inbox, emit)
        except AgentError as error:
            self._fail(scope, error)
        finally:
            self._remove(scope)

    def _put(self, scope: _OpenScope, envelope: AnyEnvelope, blob: bytes) -> None:
        try:
            scope.inbox.put(envelope, blob)
        except InboxOverrun as error:
            self._fail(scope, error)
            self._end(scope)
            return
        if type(envelope.body) in self._service.closes:
            scope.inbox.close()

    def _fail(self, scope: _OpenScope, error: AgentError) -> None:
        if self._is_alive(scope):
            _log.warning(log.SCOPE_FAILED, code=error.code, detail=str(error))
            self._outlet.fail(self._service.scope, scope.opening, error)

    def _end(self, scope: _OpenScope) -> None:
        self._remove(scope)
        scope.inbox.close()
        if scope.task is not None:
            scope.task.cancel()

    def _remove(self, scope: _OpenScope) -> None:
        if not self._is_alive(scope):
            return
        del self._open[scope.key]
        robot = scope.opening.robot
        if not self._of(robot):
            for message in self._heard:
                self._bus.unsubscribe(message, self._hear, robot)
        self._ended()

    def _is_alive(self, scope: _OpenScope) -> bool:
        return self._open.get(scope.key) is scope

    def _of(self, robot: str) -> list[_OpenScope]:
        return [scope for scope in self._open.values() if scope.opening.robot == robot]
