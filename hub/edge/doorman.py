"""What every request passes before any route: foreign pages, credentials, rights, bodies.

``install`` puts them around an application in this order: a page of another site is refused before
anything else is done for it, its preflights are answered without a token, and a body is only read
for a caller who may send it.
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.counters import Counters
from hub.edge.auth import Gate
from hub.edge.bodies import Bodies
from hub.edge.docs_routes import DOCUMENT, PAGE
from hub.edge.grants import GRANT
from hub.edge.http_errors import answer_at
from hub.edge.limits import BodyPatience
from hub.edge.page_routes import is_page
from hub.edge.pages import Pages
from hub.edge.paths import lies_under, split_base
from hub.edge.rights import demanded
from hub.edge.turnstile import Turnstile
from hub.errors import Draining, ForeignOrigin
from protocols.errors import HubError

OPEN_PATHS = frozenset({"/livez", "/pairing", "/pairing/token", PAGE, DOCUMENT})
"""Answered to anybody: that a process is alive is no secret, nor how hubs of its version are spoken
to, and who wants a token has none."""
_WORK = frozenset({"POST", "PUT", "PATCH"})

_EXPOSED = (
    "Retry-After", "X-Audio-Sample-Rate", "X-Audio-Channels", "X-Request-Id", "Mcp-Session-Id",
    "X-Cache",
)  # fmt: skip
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def install(
    app: FastAPI,
    gate: Gate,
    counters: Counters,
    draining: Callable[[], bool],
    patience: BodyPatience,
    held: Callable[[], bool],
) -> None:
    """Put all of them around ``app``; what is added last sees a request first."""
    app.add_middleware(Bodies, counters=counters, patience=patience, held=held)
    app.add_middleware(Turnstile, counters=counters, held=held)  # who is turned away takes no turn
    app.add_middleware(Doorman, gate=gate, counters=counters, draining=draining)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted(gate.pages.cross_origins),
        allow_methods=_METHODS,
        # A page that may be here at all may name any header; cookies are never taken.
        allow_headers=("*",),
        expose_headers=_EXPOSED,
    )
    app.add_middleware(Strangers, pages=gate.pages, counters=counters)


class Strangers:
    """Turns away what pages of other sites, and names pointed at this machine, make browsers do;
    WebSockets included."""

    def __init__(self, app: ASGIApp, pages: Pages, counters: Counters) -> None:
        self._app = app
        self._pages = pages
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not self._pages.is_foreign(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        error = ForeignOrigin("this page or host name may not use the hub")
        self._counters.count(f"requests_refused.{error.code}")
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})
            return
        await answer_at(scope["path"], error)(scope, receive, send)


class Doorman:
    """Asks the gate for every HTTP request. WebSockets are told of a missing token by their own
    routes, after the handshake, so that they can see a close code."""

    def __init__(
        self, app: ASGIApp, gate: Gate, counters: Counters, draining: Callable[[], bool]
    ) -> None:
        self._app = app
        self._draining = draining
        self._gate = gate
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope):
            await self._app(scope, receive, send)
            return
        try:
            await self._check(scope)
        except HubError as error:
            self._counters.count(f"requests_refused.{error.code}")
            await answer_at(scope["path"], error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        method = scope["method"]
        right = demanded(method, scope["path"])
        grant = await self._gate.admit(HTTPConnection(scope), right=right)
        state: dict[str, Any] = scope.setdefault("state", {})
        state[GRANT] = grant
        if method in _WORK and self._draining():
            raise Draining("the hub is shutting down and takes nothing new")


def _is_open(scope: Scope) -> bool:
    path = scope["path"]
    return split_base(path)[1] in OPEN_PATHS or is_page(scope) or lies_under(path, PAGE)
