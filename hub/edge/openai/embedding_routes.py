"""``POST /v1/embeddings``: https://platform.openai.com/docs/api-reference/embeddings"""

import base64
import struct
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import while_connected
from hub.edge.held_body import off_loop
from hub.edge.limits import PARSED_IN_PLACE_BYTES
from hub.edge.openai.asking import Desk
from hub.edge.openai.fields import Body, ModelName
from hub.edge.openai.refusing import OpenAiRoute, refused, wrong
from hub.edge.openai.usage import estimated
from hub.jobs.inference import Vectors
from hub.jobs.job import JobClass
from protocols.messages.agent import AgentKind

MAX_TEXTS = 2_048
MAX_TEXT_CHARS = 32_768
BATCH_TEXTS = 64
"""More texts than these are no question that somebody waits for."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"\S")]
_TEXT_SCHEMA = {"type": "string", "pattern": r"\S", "maxLength": MAX_TEXT_CHARS}
Tokens = Annotated[list[int], Field(max_length=100_000)]


def _no_tokens(given: Any) -> Any:
    if isinstance(given, list) and any(not isinstance(each, str) for each in given):
        raise ValueError("tokens are an engine's own: send the texts")
    return given


class EmbeddingBody(Body):
    """Body of ``POST /v1/embeddings``. ``dimensions`` is what the model makes, or refused."""

    model: ModelName
    input: Annotated[
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
        | Annotated[list[int | Tokens], Field(min_length=1, max_length=100_000)],
        AfterValidator(_no_tokens),
        WithJsonSchema(
            {
                "anyOf": [
                    _TEXT_SCHEMA,
                    {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1, "maxItems": MAX_TEXTS},
                ]
            }
        ),
    ]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int | None, Field(ge=1, le=65_536)] = None


class Embedding(BaseModel):
    """A vector of unit length: numbers, or little-endian float32 in base64."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    """Tokens of all texts; ``estimated`` as elsewhere. ``truncated`` texts had more tokens than
    the model looks at."""

    prompt_tokens: int
    total_tokens: int
    estimated: bool = False
    truncated: int = 0


class Embeddings(BaseModel):
    """The vectors of all texts, in their order."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


def embedding_router(desk: Desk) -> APIRouter:
    """The route over ``desk``."""
    router = APIRouter(route_class=OpenAiRoute, tags=["openai"])

    @router.post("/embeddings", response_model=Embeddings, responses=refused())
    async def embeddings(body: EmbeddingBody, request: Request) -> Response:
        """Vectors of texts, by the memory's model."""
        texts = [body.input] if isinstance(body.input, str) else [str(t) for t in body.input]
        batch = JobClass.BATCH if len(texts) > BATCH_TEXTS else JobClass.INTERACTIVE
        model = desk.model(body.model, AgentKind.MEMORY)
        job = desk.models.embed(texts, model, desk.caller(request, batch))
        vectors = await while_connected(request, job)
        made = vectors.done.dimensions
        if body.dimensions not in (None, made):
            wrong("dimensions", f"this model makes vectors of {made} dimensions, and no others")
        work = _answer, vectors, texts, body.encoding_format == "base64", body.model
        if len(vectors.data) <= PARSED_IN_PLACE_BYTES:
            document = _answer(*work[1:])
        else:
            document = await off_loop(*work)
        return Response(document, media_type="application/json")

    return router


def _answer(vectors: Vectors, texts: list[str], as_base64: bool, model: str) -> bytes:
    """Blocking where there are many."""
    done = vectors.done
    rows = struct.unpack(f"{4 * done.dimensions}s" * done.count, vectors.data)
    read = struct.Struct(f"<{done.dimensions}f").unpack
    tokens = done.tokens or estimated(texts)
    usage: dict[str, object] = {"prompt_tokens": tokens, "total_tokens": tokens}
    if not done.tokens:
        usage["estimated"] = True
    if done.truncated:
        usage["truncated"] = done.truncated
    return msgspec.json.encode(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": base64.b64encode(row).decode() if as_base64 else read(row),
                }
                for index, row in enumerate(rows)
            ],
            "model": done.model or model,
            "usage": usage,
        }
    )
