"""An old port: whatever is asked for there is looked for under the base path of its family.

An old client needs no change at all. Paths that lie under a base
already are what they are at every port, and so are the few that belong to the hub as a whole.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from hub.edge.paths import BASES, lies_under

COMMON = ("/docs", "/openapi.json", "/livez", "/readyz", "/metrics", "/tickets")
"""The hub's own at every port."""


class Rooted:
    """ASGI: ``app`` as it is seen at a port that opens onto ``base``, WebSockets included."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            path: str = scope["path"]
            under = rooted(path, self._base)
            if under != path:
                raw: bytes = scope.get("raw_path") or path.encode()
                scope = {**scope, "path": under, "raw_path": self._base.encode() + raw}
        await self._app(scope, receive, send)


def rooted(path: str, base: str) -> str:
    """The path of the hub that ``path`` means at a port that opens onto ``base``."""
    if not base or any(lies_under(path, each) for each in (*BASES, *COMMON)):
        return path
    return base + path
