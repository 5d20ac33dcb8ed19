"""Errors as the family of routes shows them that a path belongs to.

One table says which family that is, for what a route refuses and for what is refused before any
route sees it alike.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.edge.paths import longest
from hub.errors import (
    AgentMissing,
    BadRequest,
    BodyTooLarge,
    BodyTooSlow,
    Busy,
    HeadTooLarge,
    JobError,
    JobTimeout,
    NotAuthenticated,
    NotAuthorised,
    NotReady,
    RateLimited,
    TooLong,
    UnknownRobot,
    UrlTooLong,
    WrongMedia,
)
from protocols.errors import BadIdentity, HubError

STATUS: dict[type[HubError], int] = {
    TooLong: 413,
    BodyTooLarge: 413,
    BodyTooSlow: 408,
    WrongMedia: 415,
    UrlTooLong: 414,
    HeadTooLarge: 431,
    BadRequest: 400,
    BadIdentity: 400,
    NotAuthenticated: 401,
    NotAuthorised: 403,
    RateLimited: 429,
    UnknownRobot: 404,
    Busy: 429,
    NotReady: 503,
    AgentMissing: 503,
    JobTimeout: 504,
    JobError: 502,
}
"""HTTP status of an error; the first class in this order that fits."""


class Refusal(NamedTuple):
    """An error, before it has a shape."""

    status: int
    code: str
    detail: str
    faults: list[dict[str, Any]] | None = None
    """What is wrong with which field, where a body does not fit its schema."""


Document = dict[str, Any]


class Family(NamedTuple):
    """How a family of routes tells of errors."""

    name: str
    shape: Callable[[Refusal], Document]
    invalid: int = 422
    """Status of a body that does not fit its schema."""


def _robot(refusal: Refusal) -> Document:
    if refusal.faults is not None:
        return {"detail": refusal.faults}
    return {"error": refusal.code, "detail": refusal.detail}


def _auraos(refusal: Refusal) -> Document:
    return {"status": "error", "error": refusal.detail}


_WESPOKE_ERRORS = {
    400: "ValidationError", 401: "AuthenticationError", 403: "AuthorizationError",
    408: "ValidationError", 413: "ValidationError", 415: "ValidationError",
    429: "RateLimitError",
}  # fmt: skip


def _wespoke(refusal: Refusal) -> Document:
    return {
        "detail": {
            "error": _WESPOKE_ERRORS.get(refusal.status, "ProcessingError"),
            "message": refusal.detail,
            "details": {"code": refusal.code, "errors": refusal.faults or []},
        }
    }


def _fictures(refusal: Refusal) -> Document:
    return {"detail": refusal.faults if refusal.faults is not None else refusal.detail}


_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def _openai(refusal: Refusal) -> Document:
    kind = "invalid_request_error" if refusal.status < 500 else "server_error"
    return {
        "error": {
            "message": refusal.detail,
            "type": _OPENAI_TYPES.get(refusal.status, kind),
            "param": _param(refusal.faults),
            "code": refusal.code,
        }
    }


def _param(faults: list[dict[str, Any]] | None) -> str | None:
    if not faults:
        return None
    return ".".join(str(part) for part in faults[0].get("loc", ())[1:]) or None


ROBOT = Family("robot", _robot)
AURAOS = Family("auraos", _auraos, invalid=400)
WESPOKE = Family("wespoke", _wespoke, invalid=400)
FICTURES = Family("fictures", _fictures)
OPENAI = Family("openai", _openai, invalid=400)

FAMILIES: tuple[tuple[str, Family], ...] = (
    ("/auraos", AURAOS),
    ("/generate", AURAOS),
    ("/ask", AURAOS),
    ("/wespoke", WESPOKE),
    ("/ai", WESPOKE),
    ("/fictures", FICTURES),
    ("/api/v1", FICTURES),
    ("/v1", OPENAI),
)
"""The longest path wins; what is in no row is the robot family's and the hub's own."""


def family_of(path: str) -> Family:
    """The family that ``path`` belongs to."""
    return longest(path, FAMILIES, ROBOT)


def refusal_of(error: HubError, status: int | None = None, code: str | None = None) -> Refusal:
    """``error`` with its status."""
    if status is None:
        status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 500)
    return Refusal(status, code or error.code, str(error))


def headers_of(error: HubError, status: int) -> dict[str, str]:
    """What an answer that tells ``error`` says beside its body."""
    if isinstance(error, Busy | RateLimited):
        return {"Retry-After": str(error.retry_after_s)}
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, NotReady):
        return {"Retry-After": "5"}
    return {}


def answer_at(
    path: str, error: HubError, status: int | None = None, code: str | None = None
) -> JSONResponse:
    """The response of a route at ``path`` that tells ``error``, in its family's shape."""
    refusal = refusal_of(error, status, code)
    headers = headers_of(error, refusal.status)
    return JSONResponse(family_of(path).shape(refusal), refusal.status, headers)


def answer(error: HubError, status: int | None = None, code: str | None = None) -> JSONResponse:
    """The response of a route of the robot family that tells ``error``."""
    return answer_at("/", error, status, code)


def install(app: FastAPI) -> None:
    """Answer every error of the hub, of the router and of a body's schema in its family's shape."""
    app.add_exception_handler(HubError, _on_hub_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_bug)


async def _on_hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    return answer_at(request.url.path, error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    refusal = Refusal(error.status_code, code, str(error.detail))
    return _shaped(request, refusal, error.headers)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(fault) for fault in error.errors()]
    status = family_of(request.url.path).invalid
    return _shaped(request, Refusal(status, "invalid_request", _sentence(faults), faults))


async def _on_bug(request: Request, error: Exception) -> Response:
    """What is told to the client; the error itself goes on to the log."""
    return _shaped(request, Refusal(500, "internal_error", "the hub failed to do this"))


def _fault(fault: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong where. Not what was sent: it may be what somebody said, or no JSON (NaN)."""
    loc = [part if isinstance(part, int) else _printable(str(part)) for part in fault["loc"]]
    return {"type": fault["type"], "loc": loc, "msg": _printable(str(fault["msg"]))}


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _shaped(
    request: Request, refusal: Refusal, headers: Mapping[str, str] | None = None
) -> Response:
    return JSONResponse(family_of(request.url.path).shape(refusal), refusal.status, headers)


def _sentence(faults: list[dict[str, Any]]) -> str:
    if not faults:
        return "the request is not valid"
    place = ".".join(str(part) for part in faults[0].get("loc", ()))
    return f"{place}: {faults[0].get('msg', 'is not valid')}"
