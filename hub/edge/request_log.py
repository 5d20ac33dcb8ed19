"""A name for every request: it stands in each line that is logged on its behalf, and in the answer.

What is logged of a request is its method, its path, its status and how long it took: never its
query, its headers or its body, which may hold a token or what somebody says.
"""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
QUIET = frozenset({"/livez", "/readyz", "/metrics", "/health", "/status"})
"""Asked every few seconds by whoever watches: logged at DEBUG, unless it went wrong."""

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_LONGEST_PATH = 200

log = structlog.get_logger()


class RequestLog:
    """ASGI middleware, outside all others: what they refuse is logged too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request = given if _ID.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request=request):
            if scope["type"] == "http":
                await self._logged(scope, receive, send, request)
            else:
                await self._app(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send, request: str) -> None:
        began_ns = time.monotonic_ns()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request
            await send(message)

        try:
            await self._app(scope, receive, named)
        except Exception:
            status = 500
            raise
        finally:
            quiet = scope["path"] in QUIET and 200 <= status < 400
            (log.debug if quiet else log.info)(
                "request",
                method=scope["method"],
                path=path_of(scope),
                status=status,
                ms=round((time.monotonic_ns() - began_ns) / 1e6, 1),
            )


def path_of(scope: Scope) -> str:
    """The path as it came, percent-encoded: nothing in it can pretend to be another line."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0][:_LONGEST_PATH].decode("ascii", "backslashreplace")
