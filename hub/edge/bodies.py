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
from hub.edge.held_body import HELD, HeldBody, off_loop
from hub.edge.http_errors import answer_at
from hub.edge.json_body import CHECKED, check_json
from hub.edge.limits import (
    MAX_BODIES_BYTES,
    PARSED_IN_PLACE_BYTES,
    BodyPatience,
    body_class,
)
from hub.errors import BadBody, BodyTooLarge, BodyTooSlow, RateLimited
from protocols.errors import HubError

PIECE_BYTES = 256 * 1024
"""A route is handed its body in pieces of this size, and the loop has a turn after each."""
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
        clock_s: monotonic seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        counters: Counters,
        patience: BodyPatience,
        memory_bytes: int = MAX_BODIES_BYTES,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._counters = counters
        self._patience = patience
        self._free_bytes = memory_bytes
        self._clock_s = clock_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        body = HeldBody()
        try:
            await self._read(scope, receive, body)
            await self._check(scope, body.content)
            state: dict[str, Any] = scope.setdefault("state", {})
            state[HELD] = body
            await self._app(scope, _replayed(body, receive), send)
        except _Gone:
            return
        except _Refused as refused:
            error = refused.error
            self._counters.count(f"requests_refused.{error.code}")
            await answer_at(scope["path"], error)(scope, receive, send)
        finally:
            self._free_bytes += body.taken_bytes

    async def _read(self, scope: Scope, receive: Receive, body: HeldBody) -> None:
        limit = body_class(scope["path"]).value
        said = HTTPConnection(scope).headers.get("content-length", "")
        if said.isascii() and said.isdigit() and int(said) > limit:
            raise _too_large(limit)
        content = body.content
        began_s, more = self._clock_s(), True
        while more:
            message = await self._piece(receive, len(content), began_s)
            if message["type"] == "http.disconnect":
                raise _Gone
            piece = message.get("body", b"")
            if len(content) + len(piece) > limit:
                raise _too_large(limit)
            if len(piece) > self._free_bytes:
                error = RateLimited("too many large bodies are being read", _MEMORY_RETRY_S)
                raise _Refused(error)
            self._free_bytes -= len(piece)
            body.taken_bytes += len(piece)
            content += piece
            more = message.get("more_body", False)

    async def _piece(self, receive: Receive, received: int, began_s: float) -> Message:
        left_s = self._patience.left_s(received, self._clock_s() - began_s)
        try:
            async with asyncio.timeout(left_s):
                return await receive()
        except TimeoutError:
            error = BodyTooSlow(f"the body came too slowly: {received} bytes until now")
            raise _Refused(error) from None

    async def _check(self, scope: Scope, body: bytearray) -> None:
        if not _is_json(HTTPConnection(scope).headers.get("content-type", "")):
            return
        try:
            if len(body) <= PARSED_IN_PLACE_BYTES:
                check_json(body)
            else:
                await off_loop(check_json, body)
        except BadBody as error:
            raise _Refused(error) from None
        state: dict[str, Any] = scope.setdefault("state", {})
        state[CHECKED] = True


def _replayed(body: HeldBody, receive: Receive) -> Receive:
    """``body`` as if it came now, then whatever ``receive`` has: the client may still go away."""
    content = body.content
    starts = iter(range(0, max(1, len(content)), PIECE_BYTES))

    async def replay() -> Message:
        start = None if body.handed_out else next(starts, None)
        if start is None:
            return await receive()
        if start:
            await asyncio.sleep(0)
        end = start + PIECE_BYTES
        piece = bytes(content[start:end])
        if end < len(content):
            return {"type": "http.request", "body": piece, "more_body": True}
        content.clear()  # from here on it is the route's, and one copy of it is enough
        return {"type": "http.request", "body": piece, "more_body": False}

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
