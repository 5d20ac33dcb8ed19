"""Errors as the robot family of routes shows them: ``{"error", "detail"}``."""

from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import HTTPException as FastApiHttpException
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.errors import (
    AgentMissing,
    BadRequest,
    Busy,
    JobError,
    JobTimeout,
    NotAuthorised,
    NotReady,
    TooLong,
    UnknownRobot,
)
from protocols.errors import BadIdentity, HubError

STATUS: dict[type[HubError], int] = {
    TooLong: 413,
    BadRequest: 400,
    BadIdentity: 400,
    NotAuthorised: 403,
    UnknownRobot: 404,
    Busy: 429,
    NotReady: 503,
    AgentMissing: 503,
    JobTimeout: 504,
    JobError: 502,
}
"""HTTP status of an error; the first class in this order that fits."""


def install(app: FastAPI) -> None:
    """Answer every error of the hub and of the router in this shape. FastAPI's 422 stays."""
    app.add_exception_handler(HubError, _on_hub_error)
    app.add_exception_handler(HTTPException, _on_http_error)


def answer(error: HubError, status: int | None = None, code: str | None = None) -> JSONResponse:
    """The response that tells ``error``."""
    if status is None:
        status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 500)
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, Busy) else None
    body = {"error": code or error.code, "detail": str(error)}
    return JSONResponse(body, status, headers)


async def _on_hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    return answer(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException | FastApiHttpException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    if error.status_code == 413:
        code = "too_large"
    body = {"error": code, "detail": error.detail}
    return JSONResponse(body, error.status_code, error.headers)
