"""The OpenAPI document: what the routes say of themselves, and which credential each of them wants.

It is the same for every hub of a version, so that anybody may read it; what it describes demands a
credential.
"""

from typing import Any

from fastapi import FastAPI

from hub.edge.documented import schemas
from hub.edge.doorman import OPEN_PATHS
from hub.edge.rights import ALLOWED, Right, demanded

SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of `robot-hub tokens add`, or a JSON Web Token where the hub has a"
        " key for them.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same token, for programs that send it like that.",
    },
}

ABOUT = """On this machine alone, everything is open until the first token is made; anywhere else \
nothing is served without one. A token is shown as `Authorization: Bearer …` or as `X-API-Key`, \
never in a URL. Each operation names the right that it demands and the scopes of tokens that have \
it.

**WebSockets** (`/robot`, `/converse`, `/face`, `/observe`, `/generate/stream`, `/ai/stream`) take \
the same headers. A browser cannot set them: it asks `POST /tickets` for a ticket and opens the \
socket with `?ticket=…`, once, within 30 seconds."""

Operation = dict[str, Any]


class DocumentedApi(FastAPI):
    """An application whose document names credentials."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        made = self.openapi_schema is not None
        document = super().openapi()
        if not made:
            document["info"]["description"] = ABOUT
            components = document.setdefault("components", {})
            components["securitySchemes"] = SCHEMES
            components.setdefault("schemas", {}).update(schemas())
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    _name_right(operation, method.upper(), path)
        return document


def _name_right(operation: Operation, method: str, path: str) -> None:
    if path in OPEN_PATHS:
        operation["security"] = []
        return
    right = demanded(method, path)
    operation["security"] = [{scheme: [right.value]} for scheme in SCHEMES]
    told = f"Right `{right}`: tokens of scope {_scopes(right)}."
    operation["description"] = f"{operation.get('description', '')}\n\n{told}".strip()


def _scopes(right: Right) -> str:
    *others, last = [scope.value for scope, rights in ALLOWED.items() if right in rights]
    return f"{', '.join(others)} or {last}" if others else last
