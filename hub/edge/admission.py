"""The way into either WebSocket: who is it, and may they."""

import contextlib

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.edge.services import EdgeServices
from hub.edge.wire import (
    CLOSE_BAD_IDENTITY,
    CLOSE_DRAINING,
    CLOSE_INTERNAL,
    CLOSE_NOT_AUTHORISED,
)
from hub.errors import NotAuthorised, NotReady
from hub.session.link import RobotLink, RobotSession
from protocols.errors import BadIdentity, HubError
from protocols.identity import checked_robot_id
from protocols.messages.robot import Hello

log = structlog.get_logger()


async def admit_robot(websocket: WebSocket, services: EdgeServices) -> str | None:
    """Accept ``websocket`` and return its robot, or close it with the reason and return None.

    A refusal comes after the handshake, so that every client can see its code.
    """
    await websocket.accept()
    robot = websocket.query_params.get("robot_id", "")
    try:
        if not robot:
            code, reason = CLOSE_BAD_IDENTITY, "missing_robot_id"
        else:
            await services.gate.admit(websocket, checked_robot_id(robot))
            return robot
    except BadIdentity as error:
        code, reason = CLOSE_BAD_IDENTITY, f"{error.code}: {error}"
    except NotAuthorised as error:
        code, reason = CLOSE_NOT_AUTHORISED, error.code
    await _refuse(websocket, services, code, reason)
    return None


async def attach(
    websocket: WebSocket, services: EdgeServices, robot: str, hello: Hello, link: RobotLink
) -> RobotSession | None:
    """The session that ``link`` now owns; None if there is none to be had and it was closed."""
    try:
        return await services.sessions.attach(robot, hello, link)
    except NotReady:
        await _refuse(websocket, services, CLOSE_DRAINING, "draining")
    except HubError as error:
        log.error("robot refused", robot=robot, code=error.code, error=str(error))
        await _refuse(websocket, services, CLOSE_INTERNAL, error.code)
    return None


async def _refuse(websocket: WebSocket, services: EdgeServices, code: int, reason: str) -> None:
    services.counters.count(f"connections_refused.{code}")
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code, reason.encode()[:120].decode("utf-8", "ignore"))
