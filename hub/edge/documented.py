"""What the OpenAPI document says of refusals, for routes whose errors have one shape."""

from typing import Any

from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]

AT_THE_DOOR = {
    401: "A token is needed, or it is unknown.",
    403: "The token does not cover this.",
    408: "The body came too slowly.",
    413: "More than may be sent.",
    414: "The address is too long.",
    429: "Too many requests, or too much waits already; see Retry-After.",
    431: "The headers are too many or too long.",
    503: "The hub is shutting down, or nobody who could do it is there.",
}
"""What any route may answer before it begins."""

_BY_A_JOB = {
    404: "There is no such model.",
    501: "No engine that is there can do this.",
    502: "The engine failed.",
    504: "The engine took too long.",
}


def refusals(shape: type[BaseModel], *, job: bool = False, **more: str) -> Responses:
    """Documented refusals of a route; with ``job``, those of engines as well. ``more`` are further
    ones, as ``s400="…"``."""
    told = AT_THE_DOOR | (_BY_A_JOB if job else {})
    told |= {int(name[1:]): text for name, text in more.items()}
    return {status: {"model": shape, "description": text} for status, text in sorted(told.items())}
