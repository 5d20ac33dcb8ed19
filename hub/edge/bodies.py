"""Bodies of requests, read whole before any route begins: within size, time, memory and depth.

A route whose body was read here cannot be kept waiting by its client, and sees no JSON that would
harm what parses it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.counters import Counters
from hub.edge.bulk import Pace, nobody_is_answered
from hub.edge.held_body import HELD, HeldBody, off_loop
from hub.edge.http_errors import answer_at
from hub.edge.json_body import CHECKED, check_pieces
from hub.edge.limits import (
    MAX_BODIES_BYTES,
    PARSED_IN_PLACE_BYTES,
    BodyPatience,
    body_class,
)
from hub.errors import BadBody, BodyTooLarge, BodyTooSlow, RateLimited
from protocols.errors import HubError

_MEMORY_RETRY_S = 2


class _Gone(Exception):
    """The client left in the middle of its body."""


class _Refused(Exception):
    """The body is not taken. No error of a route: those are answered by the router."""

    def __init__(self, error: HubError) -> None:
        super().__init__(str(error))
        self.error = error


class Bodies:
    """ASGI middleware.

    Args:
        patience: how slowly a body may come.
        memory_bytes: what all bodies that are being read or worked on may take together.
        held: whether a robot is being answered; large bodies are read slowly then.
        clock_s: monotonic seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        counters: Counters,
        patience: BodyPatience,
        memory_bytes: int = MAX_BODIES_BYTES,
        held: Callable[[], bool] = nobody_is_answered,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._counters = counters
        self._patience = patience
        self._free_bytes = memory_bytes
        self._clock_s = clock_s
        self._pace = Pace(held, clock_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        body = HeldBody()
        try:
            await self._read(scope, receive, body)
            await self._check(scope, body)
            state: dict[str, Any] = scope.setdefault("state", {})
            state[HELD] = body
            await asyncio.sleep(0)  # what robots sent meanwhile goes before the route
            await self._app(scope, _replayed(body, receive), send)
        except _Gone:
            return
        except _Refused as refused:
            error = refused.error
            self._counters.count(f"requests_refused.{error.code}")
            await answer_at(scope["path"], error)(scope, receive, send)
        finally:
            self._free_bytes += body.size

    async def _read(self, scope: Scope, receive: Receive, body: HeldBody) -> None:
        limit = body_class(scope["path"]).value
        said = HTTPConnection(scope).headers.get("content-length", "")
        if said.isascii() and said.isdigit() and int(said) > limit:
            raise _too_large(limit)
        began_s, more = self._clock_s(), True
        while more:
            message = await self._piece(receive, body.size, began_s)
            if message["type"] == "http.disconnect":
                raise _Gone
            piece = message.get("body", b"")
            if body.size + len(piece) > limit:
                raise _too_large(limit)
            if len(piece) > self._free_bytes:
                error = RateLimited("too many large bodies are being read", _MEMORY_RETRY_S)
                raise _Refused(error)
            self._free_bytes -= len(piece)
            body.add(piece)
            more = message.get("more_body", False)
            if more and body.size > PARSED_IN_PLACE_BYTES:
                await self._pace.read(len(piece))

    async def _piece(self, receive: Receive, received: int, began_s: float) -> Message:
        left_s = self._patience.left_s(received, self._clock_s() - began_s)
        try:
            async with asyncio.timeout(left_s):
                return await receive()
        except TimeoutError:
            error = BodyTooSlow(f"the body came too slowly: {received} bytes until now")
            raise _Refused(error) from None

    async def _check(self, scope: Scope, body: HeldBody) -> None:
        if not _is_json(HTTPConnection(scope).headers.get("content-type", "")):
            return
        try:
            if body.size <= PARSED_IN_PLACE_BYTES:
                check_pieces(body.pieces)
            else:
                await off_loop(check_pieces, body.pieces)
        except BadBody as error:
            raise _Refused(error) from None
        state: dict[str, Any] = scope.setdefault("state", {})
        state[CHECKED] = True


def _replayed(body: HeldBody, receive: Receive) -> Receive:
    """``body`` as if it came now, then whatever ``receive`` has: the client may still go away."""
    pieces, begun = body.pieces, False

    async def replay() -> Message:
        nonlocal begun
        if body.handed_out or (begun and not pieces):
            return await receive()
        if begun:
            await asyncio.sleep(0)
        begun = True
        # From here on a piece is the route's, and one copy of it is enough.
        piece = bytes(pieces.pop(0)) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    return replay


def _has_body(connection: HTTPConnection) -> bool:
    headers = connection.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _too_large(limit: int) -> _Refused:
    return _Refused(BodyTooLarge(f"a body may have {limit} bytes here"))
