"""``POST /models/load`` and ``POST /models/unload``: which model an agent serves with.

The answer is streamed, a JSON object a line: ``{"step", "done", "total", "unit"}`` while it goes on
(``total`` 0: unknown), and last ``{"status": "done"}`` or ``{"status": "failed", "code",
"detail"}``. What is refused at once is refused by its status. A client that goes away stops a load.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import AudioResponse, ClientGone, while_connected
from hub.edge.documented import Responses, refusals
from hub.edge.grants import check_admin
from hub.edge.http_errors import answer
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from hub.errors import Busy, JobError
from hub.jobs.models import MODEL_BUSY, NoModels, NoSuchAgent, NoSuchKind, agent_for
from protocols.messages.agent import AgentProgress
from protocols.messages.model import ModelLoad, ModelUnload

MEDIA_TYPE = "application/x-ndjson"

_DOCUMENTED: Responses = {
    200: {"content": {MEDIA_TYPE: {}}},
    **refusals(
        ErrorBody,
        job=True,
        s400="The body is no such order.",
        s404="There is no such agent, or its engine has no models.",
        s409="It loads a model already.",
    ),
}

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Progress = AsyncGenerator[AgentProgress, None]


class UnloadBody(BaseModel):
    """Body of ``POST /models/unload``: which agent is meant."""

    kind: str
    role: str = "primary"


class LoadBody(UnloadBody):
    """Body of ``POST /models/load``."""

    model: Name


def model_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["models"])

    @router.post("/models/load", response_class=Response, responses=_DOCUMENTED)
    async def load(body: LoadBody, request: Request) -> Response:
        """Serve with another model from now on; who is being served finishes with the old one."""
        return await _changed(services, request, body, ModelLoad(model=body.model))

    @router.post("/models/unload", response_class=Response, responses=_DOCUMENTED)
    async def unload(body: UnloadBody, request: Request) -> Response:
        """Free the memory of an engine; whoever needs it next loads it again."""
        return await _changed(services, request, body, ModelUnload())

    return router


async def _changed(
    services: EdgeServices, request: Request, body: UnloadBody, order: ModelLoad | ModelUnload
) -> Response:
    check_admin(request)
    try:
        agent = agent_for(services.agents(), body.kind, body.role, order)
    except (NoSuchKind, NoSuchAgent, NoModels) as error:
        return answer(error, 404)
    except Busy as error:
        return answer(error, 409)
    progress = services.jobs.change_model(agent, order)
    try:
        first = await while_connected(request, _first(progress))
    except ClientGone:
        await progress.aclose()
        return Response(status_code=499)
    except JobError as error:
        await progress.aclose()
        return answer(error, 409 if error.code == MODEL_BUSY else None)
    return AudioResponse(_lines(first, progress), {"Cache-Control": "no-store"}, MEDIA_TYPE)


async def _first(progress: Progress) -> AgentProgress | None:
    return await anext(progress, None)


async def _lines(first: AgentProgress | None, progress: Progress) -> AsyncGenerator[bytes, None]:
    async with aclosing(progress):
        if first is not None:
            yield _line(_told(first))
        try:
            async for told in progress:
                yield _line(_told(told))
        except JobError as error:
            yield _line({"status": "failed", "code": error.code, "detail": str(error)})
            return
    yield _line({"status": "done"})


def _told(progress: AgentProgress) -> dict[str, object]:
    return {
        "step": progress.step,
        "done": progress.done,
        "total": progress.total,
        "unit": progress.unit,
    }


def _line(document: dict[str, object]) -> bytes:
    return msgspec.json.encode(document) + b"\n"
