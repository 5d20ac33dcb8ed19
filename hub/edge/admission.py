"""The way into either WebSocket: who is it, and may they."""

import contextlib
from collections.abc import Awaitable, Callable

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.edge.rights import Right
from hub.edge.services import EdgeServices
from hub.edge.wire import (
    CLOSE_BAD_IDENTITY,
    CLOSE_DRAINING,
    CLOSE_DUEL,
    CLOSE_INTERNAL,
    CLOSE_NOT_AUTHORISED,
    CLOSE_TOO_MANY,
)
from hub.errors import Duel, NotAuthorised, NotReady, RateLimited
from hub.session.link import RobotLink, RobotSession
from hub.store.tokens import Grant
from protocols.errors import BadIdentity, HubError
from protocols.identity import checked_robot_id
from protocols.messages.robot import Hello

log = structlog.get_logger()

_VANISHED = {"half_open": "connections.half_open", "no_pong": "slow_consumer.no_pong"}
"""Counters of connections that the socket itself gave up, by the reason of their close."""


class Slots:
    """How many WebSockets there may be at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.taken = 0

    def take(self) -> bool:
        """Whether there was one left."""
        if self.taken >= self._limit:
            return False
        self.taken += 1
        return True

    def free(self) -> None:
        """Give one back."""
        self.taken -= 1


async def admit(
    websocket: WebSocket,
    services: EdgeServices,
    slots: Slots,
    endpoint: Callable[[WebSocket, EdgeServices], Awaitable[None]],
) -> None:
    """Let ``endpoint`` serve ``websocket`` if there is room for one more."""
    if not slots.take():
        await websocket.accept()
        await _refuse(websocket, services, CLOSE_TOO_MANY, "too_many_connections")
        return
    try:
        await endpoint(websocket, services)
    finally:
        slots.free()


def note_end(services: EdgeServices, robot: str, reason: str) -> None:
    """Name a connection whose peer was given up because it could not be heard from."""
    if (name := _VANISHED.get(reason)) is not None:
        services.counters.count(name)
        log.warning("robot does not answer", robot=robot, reason=reason)


async def admit_robot(websocket: WebSocket, services: EdgeServices) -> str | None:
    """Accept ``websocket`` and return its robot, or close it with the reason and return None.

    A refusal comes after the handshake, so that every client can see its code.
    """
    await websocket.accept()
    robot = websocket.query_params.get("robot_id", "")
    if not robot:
        await _refuse(websocket, services, CLOSE_BAD_IDENTITY, "missing_robot_id")
        return None
    try:
        checked_robot_id(robot)
    except BadIdentity as error:
        await _refuse(websocket, services, CLOSE_BAD_IDENTITY, f"{error.code}: {error}")
        return None
    grant = await _granted(websocket, services, Right.ROBOT, robot)
    return robot if grant is not None else None


async def admit_caller(
    websocket: WebSocket, services: EdgeServices, right: Right = Right.USE
) -> Grant | None:
    """Accept ``websocket`` of a program that is no robot and return what it may do, or close it
    with the reason and return None."""
    await websocket.accept()
    return await _granted(websocket, services, right)


async def _granted(
    websocket: WebSocket, services: EdgeServices, right: Right, robot: str | None = None
) -> Grant | None:
    try:
        return await services.gate.admit(websocket, robot, right)
    except NotAuthorised as error:
        await _refuse(websocket, services, CLOSE_NOT_AUTHORISED, error.code)
    except RateLimited as error:
        reason = f"{error.code} {error.retry_after_s}"
        await _refuse(websocket, services, CLOSE_TOO_MANY, reason)
    return None


async def attach(
    websocket: WebSocket,
    services: EdgeServices,
    robot: str,
    hello: Hello,
    link: RobotLink,
    *,
    fresh: bool = False,
) -> RobotSession | None:
    """The session that ``link`` now owns; None if there is none to be had and it was closed.
    ``fresh``: it knows nothing of earlier ones."""
    try:
        followed = services.faces.link(robot, hello, link)
        session = await services.sessions.attach(robot, hello, followed, fresh=fresh)
        return services.faces.session(robot, followed, session)
    except NotReady:
        services.faces.tidy(robot)
        await _refuse(websocket, services, CLOSE_DRAINING, "draining")
    except Duel as duel:
        services.faces.tidy(robot)
        log.warning("duel", robot=robot, retry_after_s=duel.retry_after_s)
        await _refuse(websocket, services, CLOSE_DUEL, f"duel {duel.retry_after_s}")
    except HubError as error:
        services.faces.tidy(robot)
        log.error("robot refused", robot=robot, code=error.code, error=str(error))
        await _refuse(websocket, services, CLOSE_INTERNAL, error.code)
    return None


async def _refuse(websocket: WebSocket, services: EdgeServices, code: int, reason: str) -> None:
    services.counters.count(f"connections_refused.{code}")
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code, reason.encode()[:120].decode("utf-8", "ignore"))
