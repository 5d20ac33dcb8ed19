"""What every request passes before any route: foreign pages, tokens, and the size of bodies."""

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.counters import Counters
from hub.edge.auth import Gate
from hub.edge.limits import MAX_BODY_BYTES
from hub.errors import NotAuthorised

OPEN_PATHS = frozenset({"/livez"})
"""Answered to anybody: that a process is alive is no secret."""

_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}

GRANT = "robot_hub.grant"
"""Where a request's grant stands in its scope's state."""


class Doorman:
    """ASGI middleware. WebSockets are told of a missing token by their own routes, after the
    handshake, so that they can see a close code."""

    def __init__(
        self, app: ASGIApp, gate: Gate, counters: Counters, draining: Callable[[], bool]
    ) -> None:
        self._app = app
        self._draining = draining
        self._gate = gate
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, _bounded(scope, receive), send)
            return
        code, detail, status = refusal
        self._counters.count(f"requests_refused.{code}")
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": code})
            return
        headers = _HEADERS.get(status)
        response = JSONResponse({"error": code, "detail": detail}, status, headers)
        await response(scope, receive, send)

    async def _refusal(self, scope: Scope) -> tuple[str, str, int] | None:
        connection = HTTPConnection(scope)
        if self._gate.is_foreign(connection):
            return "foreign_origin", "this page or host name may not use the hub", 403
        if scope["type"] != "http":
            return None
        length = connection.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > MAX_BODY_BYTES:
            return "too_large", f"a body may have {MAX_BODY_BYTES} bytes", 413
        if scope["path"] in OPEN_PATHS:
            return None
        try:
            grant = await self._gate.admit(connection)
        except NotAuthorised as error:
            return error.code, str(error), 401
        state: dict[str, Any] = scope.setdefault("state", {})
        state[GRANT] = grant
        if scope["method"] == "POST" and self._draining():
            return "draining", "the hub is shutting down and takes nothing new", 503
        return None


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """``receive`` that refuses a body which grows above the limit without having said so."""
    if scope["type"] != "http":
        return receive
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"a body may have {MAX_BODY_BYTES} bytes")
        return message

    return bounded
