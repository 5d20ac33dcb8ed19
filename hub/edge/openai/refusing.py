"""How routes under ``/v1`` refuse: OpenAI's error object, the field it is about, documented."""

from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from hub.edge import job_errors
from hub.edge.disconnect import ClientGone
from hub.edge.documented import Responses, refusal, refusals
from hub.edge.http_errors import OPENAI, answer_at, refusal_of
from hub.edge.json_body import LargeBodyRoute
from hub.edge.openai.naming import UnknownModel
from hub.errors import Busy, JobError

_ASKED_WRONGLY = frozenset(
    {
        "bad_schema", "bad_texts", "bad_query", "bad_audio", "no_audio", "bad_request", "bad_rate",
        "bad_voice",
    }
)  # fmt: skip
"""Codes of agents that say that the request is at fault."""


class ErrorDetail(BaseModel):
    """What went wrong; ``param`` is the field at fault, ``code`` stays the same for ever."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """OpenAI's error object."""

    error: ErrorDetail


def refused(*, job: bool = True, **more: str) -> Responses:
    """Documented refusals of a route; ``more`` as those of ``refusals``."""
    told: Responses = refusals(
        ErrorBody, job=job, s400="Something in the request cannot be done.", s500="A bug.", **more
    )
    # FastAPI documents its own 422 unless every other client's error is spoken for.
    told["4XX"] = refusal(ErrorBody, "The request is refused.")
    return told


def wrong(param: str, sentence: str, *, inside: str = "body") -> NoReturn:
    """Refuse a request for what stands in its field ``param``."""
    fault = {"type": "value_error", "loc": (inside, param), "msg": sentence}
    raise RequestValidationError([fault])


def status_of(error: JobError) -> int:
    """The status of an answer that tells ``error``."""
    return 400 if error.code in _ASKED_WRONGLY else job_errors.status_of(error)


def told_in_stream(error: JobError) -> dict[str, Any]:
    """``error`` as an event of a stream that has begun."""
    return OPENAI.shape(refusal_of(error, status_of(error)))


class OpenAiRoute(LargeBodyRoute):
    """A route whose jobs may fail, and whose client may go away."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except UnknownModel as error:
                return answer_at(request.url.path, error, 404)
            except JobError as error:
                return _failed(request, error)
            except ClientGone:
                return Response(status_code=499)

        return handle


def _failed(request: Request, error: JobError) -> Response:
    status = status_of(error)
    if status == 429 and not isinstance(error, Busy):
        error = Busy(str(error), error.code)
    code = "model_not_found" if status == 404 else None
    return answer_at(request.url.path, error, status, code)
