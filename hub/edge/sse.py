"""Answers as events (``text/event-stream``): https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import AudioResponse, while_connected

MEDIA_TYPE = "text/event-stream"
DONE = b"data: [DONE]\n\n"
"""How OpenAI's clients are told that nothing follows."""

DOCUMENTED = {
    MEDIA_TYPE: {
        "itemSchema": {
            "type": "object",
            "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
            "required": ["data"],
        }
    }
}
"""Such an answer in the OpenAPI document, event by event as version 3.2 has it; ``data`` is JSON."""

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The second: proxies of nginx hand on what comes at once."""

Events = AsyncGenerator[bytes, None]


def event(document: object, name: str = "") -> bytes:
    """An event whose data is ``document`` as JSON, which never spans lines."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(document) + b"\n\n"


async def streamed(request: Request, events: Events) -> Response:
    """The response that streams ``events``, closed with its client. It waits for the first of
    them, so that what fails before it is raised and can still have a status of its own."""
    try:
        first = await while_connected(request, _first(events))
    except BaseException:
        await events.aclose()
        raise
    return AudioResponse(_whole(first, events), _HEADERS, MEDIA_TYPE)


async def _first(events: Events) -> bytes:
    return await anext(events, b"")


async def _whole(first: bytes, events: Events) -> Events:
    async with aclosing(events):
        yield first
        async for each in events:
            yield each
