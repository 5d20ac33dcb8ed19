"""``GET /logs``, ``GET /traces`` and ``GET /traces/{name}``: what the hub has written down, for
administrators alone. Where the hub records, traces hold what people said."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hub.edge.documented import refusals
from hub.edge.grants import check_admin
from hub.edge.http_errors import answer
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from hub.log_ring import MOST_LINES
from protocols.errors import HubError

MCAP = "application/vnd.mcap"


class UnknownTrace(HubError):
    """There is no trace of that name."""

    code = "unknown_trace"


class LineBody(BaseModel):
    """A line of the log: ``n`` numbers them from the start of the hub, ``at`` is UTC, ``keys`` are
    what belongs to the event."""

    n: int
    at: str
    level: str
    event: str
    keys: dict[str, str | int | float | bool]


class LogsAnswer(BaseModel):
    """Answer of ``GET /logs``, the oldest line first."""

    lines: list[LineBody]


class TraceBody(BaseModel):
    """A trace; it may be growing. ``changed_s`` is Unix time."""

    name: str
    bytes: int
    changed_s: float


class TracesAnswer(BaseModel):
    """Answer of ``GET /traces``, the newest first. ``words``: this run of the hub writes down what
    people say."""

    tracing: bool
    words: bool
    traces: list[TraceBody]


def log_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["hub"])
    facts, folder = services.facts, services.traces

    @router.get("/logs", responses=refusals(ErrorBody))
    async def logs(
        request: Request,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 200,
    ) -> LogsAnswer:
        """The last ``limit`` lines of the hub's own log that came after line ``after``, from a
        memory of a thousand lines."""
        check_admin(request)
        found = services.logs.after(after, limit)
        return LogsAnswer(lines=[LineBody(**line._asdict()) for line in found])

    @router.get("/traces", responses=refusals(ErrorBody))
    async def traces(request: Request) -> TracesAnswer:
        """The files of ``HUB_TRACE``."""
        check_admin(request)
        found = [
            TraceBody(name=file.name, bytes=file.size, changed_s=file.changed_s)
            for file in await asyncio.to_thread(folder.files)
        ]
        return TracesAnswer(tracing=facts.tracing, words=facts.recording, traces=found)

    @router.get(
        "/traces/{name}",
        response_class=Response,
        responses={
            200: {"content": {MCAP: {}}},
            **refusals(ErrorBody, s404="There is no such trace."),
        },
    )
    async def trace(name: Annotated[str, Path(max_length=256)], request: Request) -> Response:
        """A trace, as far as it is written now."""
        check_admin(request)
        opened = await asyncio.to_thread(folder.open, name)
        if opened is None:
            return answer(UnknownTrace("there is no trace of that name"), 404)
        size, pieces = opened
        headers = {
            "Content-Length": str(size),
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingResponse(pieces, media_type=MCAP, headers=headers)

    return router
