"""The dashboard: one page at ``/`` for browsers, and the files it loads. Its policy lets it load
nothing from anywhere else and run nothing that is written into it.

The page is no secret and needs no token; what it shows does. It is built by
``scripts/build_page.sh`` into ``hub/dashboard/dist``; a hub without it tells how.
"""

import re
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

BUILT = Path(__file__).parent.parent / "dashboard" / "dist"
ASSETS = "/dashboard/"
"""Where the files of the page are, all with a hash of their content in the name."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Content-Security-Policy of the page. ``blob:`` is for pictures, ``data:`` for the icon. Text can
become no script even by mistake: no policy for trusted types exists."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept",
}
_ALWAYS_NEW = {**_HEADERS, "Cache-Control": "no-cache"}
_FOR_EVER = {**_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_UNBUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Robot Hub</title></head>
<body>
<h1>Robot Hub is running</h1>
<p>Its dashboard has not been built. In a checkout: <code>scripts/build_page.sh</code> takes Node.js
from this machine, or from a wheel, and builds it. Wheels of Robot Hub have it built in.</p>
<p>Everything else works: <a href="docs">API</a>.</p>
</body>
</html>
"""


def wants_page(accept: str) -> bool:
    """Whether whoever says ``Accept: …`` is a browser that shows a page; programs say ``*/*``."""
    return any(part.partition(";")[0].strip().lower() == "text/html" for part in accept.split(","))


def is_page(scope: Scope) -> bool:
    """Whether a request is for the page or for one of its files."""
    if scope["method"] not in ("GET", "HEAD"):
        return False
    path: str = scope["path"]
    if path == "/":
        return wants_page(Headers(scope=scope).get("accept", ""))
    return path.startswith(ASSETS)


class ForBrowsers(Route):
    """A route that only those find who are shown pages; programs find what comes after it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and is_page(scope):
            return super().matches(scope)
        return Match.NONE, {}


def page_routes() -> list[BaseRoute]:
    """The page and its files. They stand before the other routes, of which one has ``/``, too."""
    return [ForBrowsers("/", _page), ForBrowsers(ASSETS + "{name}", _asset)]


def _page(request: Request) -> Response:
    """The page itself, or how to build it. In a thread, like the next: a file is read."""
    html = _read(BUILT / "index.html")
    return Response(html or _UNBUILT, headers=_ALWAYS_NEW, media_type="text/html")


def _asset(request: Request) -> Response:
    name: str = request.path_params["name"]
    kind = _TYPES.get(Path(name).suffix)
    data = _read(BUILT / "dashboard" / name) if kind and _NAME.fullmatch(name) else None
    if data is None:
        return Response(status_code=404, headers=_ALWAYS_NEW)
    return Response(data, headers=_FOR_EVER, media_type=kind)


def _read(path: Path) -> bytes | None:
    """A file of the page; None if there is none. Read again once it has changed."""
    try:
        return _content(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@cache
def _content(path: Path, changed_ns: int) -> bytes:
    return path.read_bytes()
