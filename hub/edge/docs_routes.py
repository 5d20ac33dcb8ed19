"""``/docs``: the OpenAPI document as a page, by a packaged Swagger UI. Everything that the page
loads comes from this hub, and its policy lets it load nothing else.
"""

import asyncio
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

PAGE, DOCUMENT = "/docs", "/openapi.json"
"""Both are the same at every hub of a version and open to anybody; what they describe is not."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy of the page. ``data:`` is for the icons inside Swagger UI's stylesheet."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FOR_A_DAY = {**_HEADERS, "Cache-Control": "private, max-age=86400"}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Robot Hub: API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
"""Addresses are relative, so that the page works behind a proxy that puts a path before them."""

_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  validatorUrl: null,
});
"""
"""``validatorUrl``: without it the page shows its document to a server on the internet."""

_PACKAGED = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}


def docs_router() -> APIRouter:
    """The page and what it loads; none of it stands in the document itself."""
    router = APIRouter(include_in_schema=False)

    @router.get(PAGE)
    async def page() -> Response:
        return Response(_PAGE, headers=_HEADERS, media_type="text/html")

    @router.get("/docs/start.js")
    async def start() -> Response:
        return Response(_START, headers=_FOR_A_DAY, media_type="text/javascript")

    @router.get("/docs/{name}")
    async def packaged(name: str) -> Response:
        if name not in _PACKAGED:
            return Response(status_code=404, headers=_HEADERS)
        data = await asyncio.to_thread(_asset, name)
        return Response(data, headers=_FOR_A_DAY, media_type=_PACKAGED[name])

    return router


@cache
def _asset(name: str) -> bytes:
    """A file of the package, read once."""
    return (files("fastapi_swagger.resources") / name).read_bytes()
