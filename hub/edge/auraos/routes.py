"""AuraOS's HTTP routes: ``/health``, ``/models``, ``/generate``, ``/ask``."""

from collections.abc import Awaitable
from typing import TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.auraos.asking import DEADLINE_S, Asking, Question
from hub.edge.auraos.bodies import (
    AskAnswer,
    AskBody,
    ErrorBody,
    GenerateAnswer,
    GenerateBody,
    HealthAnswer,
    ModelsAnswer,
)
from hub.edge.auraos.engines import health_of, models_of, sentence_of
from hub.edge.disconnect import ClientGone, while_connected
from hub.edge.documented import refusal, refusals
from hub.edge.grants import grant_of
from hub.edge.job_errors import failed
from hub.edge.json_body import LargeBodyRoute
from hub.edge.pictures import read_pictures
from hub.edge.services import EdgeServices
from hub.errors import BadRequest, JobError
from hub.jobs.orders import Caller

A = TypeVar("A")

NO_PROMPT, NO_QUERY = "Missing prompt", "Missing query"


class MissingText(BadRequest):
    """Nothing is asked for."""

    code = "missing_text"


def auraos_router(services: EdgeServices) -> APIRouter:
    """The routes that stand at bare paths as well."""
    router = APIRouter(tags=["auraos"], route_class=LargeBodyRoute)
    asking = Asking(services)
    refused = refusals(ErrorBody, job=True, s400="The request says nothing, or what it may not.")
    # FastAPI documents its own 422 unless every other client's error is spoken for.
    refused["4XX"] = refusal(ErrorBody, "The request is refused.")

    @router.get("/models", responses=refusals(ErrorBody))
    async def models() -> ModelsAnswer:
        """Which backends there are, and which model each serves with."""
        return models_of(services.agents())

    @router.post("/generate", response_model=GenerateAnswer, responses=refused)
    async def generate(body: GenerateBody, request: Request) -> GenerateAnswer | Response:
        """Write a text, about pictures if there are any."""
        question = await _question(request, body.prompt, body.images or [])
        return await _told(services, request, question, asking.generate(body, question))

    @router.post(
        "/ask", response_model=AskAnswer, response_model_exclude_none=True, responses=refused
    )
    async def ask(body: AskBody, request: Request) -> AskAnswer | Response:
        """Ask of a screenshot: in words, or for what is to be done on it. Coordinates are pixels of
        the last picture that was sent."""
        if body.question is None:
            raise MissingText(NO_QUERY)
        question = await _question(request, body.question, body.pictures)
        return await _told(services, request, question, asking.ask(body, question))

    return router


def auraos_own_router(services: EdgeServices) -> APIRouter:
    """The route whose bare path is another family's."""
    router = APIRouter(tags=["auraos"])

    @router.get("/health", responses=refusals(ErrorBody))
    async def health() -> HealthAnswer:
        """Who answers; always 200."""
        return health_of(services.agents())

    return router


async def _question(request: Request, text: str, pictures: list[str]) -> Question:
    caller = Caller(grant_of(request).id, deadline_s=DEADLINE_S)
    return Question(text, await read_pictures(pictures), caller)


async def _told(
    services: EdgeServices, request: Request, question: Question, work: Awaitable[A]
) -> A | Response:
    async def worked() -> A:
        return await work

    try:
        return await while_connected(request, worked())
    except JobError as error:
        detail = sentence_of(error, services.agents(), question.kind)
        return failed(request, error, detail)
    except ClientGone:
        return Response(status_code=499)
