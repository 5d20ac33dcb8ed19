"""What the OpenAPI document says of refusals, for routes whose errors have one shape."""

from typing import Any

from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]

_SCHEMAS = "#/components/schemas/"
_shapes: dict[str, type[BaseModel]] = {}

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
    return {status: refusal(shape, text) for status, text in sorted(told.items())}


def refusal(shape: type[BaseModel], description: str) -> dict[str, Any]:
    """One of them. It refers to a schema: of a model FastAPI makes a validator for each refusal of
    each route, a thousand in all, which takes longer than the rest of the application."""
    name = f"{shape.__module__}.{shape.__qualname__}".replace(".", "__")
    _shapes[name] = shape
    schema = {"$ref": _SCHEMAS + name}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def schemas() -> dict[str, Any]:
    """Of all that refusals refer to, by name."""
    found: dict[str, Any] = {}
    for name, shape in _shapes.items():
        inner = f"{_SCHEMAS}{name}__{{model}}"
        schema = shape.model_json_schema(mode="serialization", ref_template=inner)
        for part, its_schema in schema.pop("$defs", {}).items():
            found[f"{name}__{part}"] = its_schema
        found[name] = schema
    return found
