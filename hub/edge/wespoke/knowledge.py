"""``/ai/knowledge``: the documents that ``/ai/rag`` answers from."""

from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import ClientGone, while_connected
from hub.edge.documented import refusals
from hub.edge.form_body import read_form
from hub.edge.grants import grant_of
from hub.edge.json_body import read_json
from hub.edge.services import EdgeServices
from hub.edge.wespoke.bodies import (
    BaseRow,
    BasesAnswer,
    DocumentBody,
    DocumentRow,
    DocumentsAnswer,
    ErrorBody,
    KeptAnswer,
)
from hub.edge.wespoke.failures import RAG, failed_as
from hub.errors import BadBody, BodyTooLarge, JobError
from hub.jobs.inference import Inference
from hub.jobs.orders import Caller
from protocols.messages.memory import DocumentsKept

A = TypeVar("A")

DEADLINE_S = 300.0
"""A large document is a lot to embed."""
MAX_DOCUMENT_BYTES = 8 << 20
MAX_LISTED = 200
BAD = "A name that may not be given, or a document without text."
FULL = "The knowledge base holds as much as it may."

Base = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="a knowledge base")]
Name = Annotated[str, Query(max_length=200)]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": DocumentBody.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "name": {"type": "string", "maxLength": 200},
                        "text": {"type": "string"},
                    },
                }
            },
        },
    }
}


class NothingKept(JobError):
    """There is no such document, or no such knowledge base."""

    code = "unknown_base"


def knowledge_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["wespoke"])
    inference = Inference(services.jobs)
    _add_lists(router, inference)
    _add_changes(router, inference)
    return router


def _add_lists(router: APIRouter, inference: Inference) -> None:
    refused = refusals(ErrorBody, job=True, s400=BAD)

    @router.get("/ai/knowledge", response_model=BasesAnswer, responses=refused)
    async def bases(request: Request) -> BasesAnswer | Response:
        """Which knowledge bases there are."""

        async def work() -> BasesAnswer:
            found = await inference.list_documents(caller=_caller(request))
            rows = [
                BaseRow(
                    knowledge_base=each.base,
                    documents=each.documents,
                    chunks=each.chunks,
                    size_bytes=each.size_bytes,
                )
                for each in found.bases
            ]
            return BasesAnswer(knowledge_bases=rows)

        return await _told(request, work())

    @router.get("/ai/knowledge/{base}", response_model=DocumentsAnswer, responses=refused)
    async def documents(
        base: Base,
        request: Request,
        after: Name = "",
        limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = MAX_LISTED,
    ) -> DocumentsAnswer | Response:
        """The documents of a knowledge base, by name."""

        async def work() -> DocumentsAnswer:
            found = await inference.list_documents(base, after, limit, _caller(request))
            rows = [
                DocumentRow(
                    name=each.name,
                    chunks=each.chunks,
                    size_bytes=each.size_bytes,
                    added_at=datetime.fromtimestamp(each.at_s, UTC).isoformat(timespec="seconds"),
                )
                for each in found.documents
            ]
            return DocumentsAnswer(knowledge_base=base, documents=rows, more=found.more)

        return await _told(request, work())


def _add_changes(router: APIRouter, inference: Inference) -> None:
    taken = refusals(ErrorBody, job=True, s400=BAD, s409=FULL, s415="No text.", s507="Disk full.")

    @router.post(
        "/ai/knowledge/{base}", response_model=KeptAnswer, responses=taken, openapi_extra=_BODY
    )
    async def add(base: Base, request: Request) -> KeptAnswer | Response:
        """Keep a document (UTF-8 text or Markdown) in place of one of the same name: as JSON, or as
        the ``file`` of a form."""
        name, content = await _document(request)

        async def work() -> KeptAnswer:
            return _kept(await inference.add_document(base, name, content, _caller(request)))

        return await _told(request, work())

    @router.delete("/ai/knowledge/{base}", response_model=KeptAnswer, responses=taken)
    async def remove(base: Base, request: Request, name: Name = "") -> KeptAnswer | Response:
        """Forget a document; without a name the whole knowledge base."""

        async def work() -> KeptAnswer:
            kept = await inference.remove_document(base, name, _caller(request))
            if not kept.touched:
                raise NothingKept("there is nothing of that name to be forgotten")
            return _kept(kept)

        return await _told(request, work())


async def _document(request: Request) -> tuple[str, bytes]:
    """The name and the text of the document that ``request`` brings.

    Raises:
        BadRequest: the body cannot be read.
        RequestValidationError: it is not what it should be.
        BodyTooLarge: the document has more than ``MAX_DOCUMENT_BYTES``.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await read_form(request)
        file = form.file("file")
        if file is None:
            body = _checked({"name": form.text("name"), "text": form.text("text")})
            name, content = body.name, body.text.encode()
        else:
            given = form.text("name") or file.name.replace("\\", "/").rpartition("/")[2]
            name, content = _checked({"name": given, "text": "-"}).name, await file.whole()
    else:
        body = _checked(await read_json(request))
        name, content = body.name, body.text.encode()
    if not content:
        raise BadBody("the document is empty")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise BodyTooLarge(f"a document may have {MAX_DOCUMENT_BYTES} bytes")
    return name, content


def _checked(document: Any) -> DocumentBody:
    try:
        return DocumentBody.model_validate(document)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from None


def _kept(kept: DocumentsKept) -> KeptAnswer:
    return KeptAnswer(
        knowledge_base=kept.base,
        documents=kept.documents,
        chunks=kept.chunks,
        touched=kept.touched,
        embedded=kept.embedded,
    )


def _caller(request: Request) -> Caller:
    return Caller(grant_of(request).id, deadline_s=DEADLINE_S)


async def _told(request: Request, work: Coroutine[Any, Any, A]) -> A | Response:
    try:
        return await while_connected(request, work)
    except JobError as error:
        return failed_as(RAG, error)
    except ClientGone:
        return Response(status_code=499)
