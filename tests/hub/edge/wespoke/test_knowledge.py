"""``/ai/knowledge``: documents in, lists out, and who may."""

import asyncio
from typing import Any

import httpx
import pytest

from hub.errors import JobError
from hub.jobs.orders import JobFact
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.messages.memory import (
    BaseEntry,
    DocumentAdd,
    DocumentEntry,
    DocumentRemove,
    DocumentsKept,
    DocumentsList,
    DocumentsListed,
)
from tests.hub.edge.conftest import Edge

GUIDE = {"name": "guide.md", "text": "The lion roars at night."}
KEPT = DocumentsKept(base="zoo", documents=1, chunks=2, touched=2, embedded=2)


def added(edge: Edge) -> tuple[str, str, bytes]:
    order = edge.jobs.wanted[-1]
    assert isinstance(order.request, DocumentAdd)
    (content,) = order.blobs
    return order.request.base, order.request.name, content


async def test_a_document_is_kept_that_comes_as_json(edge: Edge) -> None:
    edge.jobs.facts = [JobFact(KEPT)]
    answer = await edge.http.post("/ai/knowledge/zoo", json=GUIDE)
    assert answer.json() == {
        "knowledge_base": "zoo", "documents": 1, "chunks": 2, "touched": 2, "embedded": 2,
    }  # fmt: skip
    assert added(edge) == ("zoo", "guide.md", b"The lion roars at night.")


@pytest.mark.parametrize(
    ("form", "name"), [({}, "guide.md"), ({"name": "other name.txt"}, "other name.txt")]
)
async def test_a_document_is_kept_that_comes_as_a_file(
    edge: Edge, form: dict[str, str], name: str
) -> None:
    edge.jobs.facts = [JobFact(KEPT)]
    files = {"file": (r"C:\docs\guide.md", b"The lion.", "text/markdown")}
    answer = await edge.http.post("/wespoke/ai/knowledge/zoo", files=files, data=form)
    assert answer.status_code == 200
    assert added(edge) == ("zoo", name, b"The lion.")


async def test_a_document_may_be_larger_than_other_texts(edge: Edge) -> None:
    edge.jobs.facts = [JobFact(KEPT)]
    body = {"name": "long.md", "text": "word " * 1_000_000}
    assert (await edge.http.post("/ai/knowledge/zoo", json=body)).status_code == 200
    body = {"name": "long.md", "text": "word " * 1_700_000}
    answer = await edge.http.post("/ai/knowledge/zoo", json=body)
    assert (answer.status_code, answer.json()["detail"]["error"]) == (413, "ValidationError")


@pytest.mark.parametrize(
    ("base", "sent"),
    [
        ("zoo", {"json": {"name": "a"}}),
        ("zoo", {"json": {"name": "", "text": "a"}}),
        ("zoo", {"json": {"name": "a\nb", "text": "a"}}),
        ("zoo", {"json": {"name": "a" * 201, "text": "a"}}),
        ("zoo", {"json": {"name": "a", "text": ""}}),
        ("zoo", {"json": []}),
        ("zoo", {"content": b"{", "headers": {"content-type": "application/json"}}),
        ("zoo", {"files": {"file": ("a", b"")}}),
        ("zoo", {"files": {"other": ("a", b"text")}}),
        ("z%20oo", {"json": GUIDE}),
        ("z" * 65, {"json": GUIDE}),
    ],
)
async def test_what_is_no_document_is_400(edge: Edge, base: str, sent: dict[str, Any]) -> None:
    answer = await edge.http.post(f"/ai/knowledge/{base}", **sent)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]["error"] == "ValidationError"
    assert edge.jobs.wanted == []


async def test_documents_are_listed_a_page_at_a_time(edge: Edge) -> None:
    entry = DocumentEntry(name="guide.md", chunks=2, size_bytes=24, at_s=1_700_000_000.0)
    edge.jobs.facts = [JobFact(DocumentsListed(base="zoo", documents=(entry,), more=True))]
    answer = await edge.http.get("/ai/knowledge/zoo", params={"after": "a", "limit": 1})
    assert answer.json() == {
        "knowledge_base": "zoo",
        "documents": [
            {"name": "guide.md", "chunks": 2, "size_bytes": 24,
             "added_at": "2023-11-14T22:13:20+00:00"}
        ],
        "more": True,
    }  # fmt: skip
    assert edge.jobs.wanted[-1].request == DocumentsList(base="zoo", after="a", limit=1)


async def test_bases_are_listed(edge: Edge) -> None:
    row = {"documents": 1, "chunks": 2, "size_bytes": 24}
    edge.jobs.facts = [JobFact(DocumentsListed(bases=(BaseEntry(base="zoo", **row),)))]
    answer = await edge.http.get("/ai/knowledge")
    assert answer.json() == {"knowledge_bases": [{"knowledge_base": "zoo", **row}]}


@pytest.mark.parametrize(("query", "name"), [({}, ""), ({"name": "guide.md"}, "guide.md")])
async def test_a_document_or_a_whole_base_is_forgotten(
    edge: Edge, query: dict[str, str], name: str
) -> None:
    edge.jobs.facts = [JobFact(KEPT)]
    answer = await edge.http.delete("/ai/knowledge/zoo", params=query)
    assert answer.status_code == 200
    assert edge.jobs.wanted[-1].request == DocumentRemove(base="zoo", name=name)


async def test_what_is_not_there_cannot_be_forgotten(edge: Edge) -> None:
    edge.jobs.facts = [JobFact(DocumentsKept(base="zoo", documents=0, chunks=0))]
    assert (await edge.http.delete("/ai/knowledge/zoo")).status_code == 404


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("base_full", 409, "ValidationError"),
        ("not_text", 415, "ValidationError"),
        ("empty_document", 400, "ValidationError"),
        ("disk_full", 507, "RAGError"),
        ("memory_failed", 502, "RAGError"),
    ],
)
async def test_why_the_memory_does_not_keep_it_is_told(
    edge: Edge, code: str, status: int, error: str
) -> None:
    edge.jobs.facts = [JobError("no", code)]
    answer = await edge.http.post("/ai/knowledge/zoo", json=GUIDE)
    assert (answer.status_code, answer.json()["detail"]["error"]) == (status, error)


@pytest.mark.parametrize(
    ("scope", "status"),
    [(Scope.ROBOT, 403), (Scope.OBSERVER, 403), (Scope.CLIENT, 200), (Scope.ADMIN, 200)],
)
async def test_documents_are_for_those_who_may_use_models(
    edge: Edge, scope: Scope, status: int
) -> None:
    edge.jobs.facts = [JobFact(DocumentsListed())]
    robot = "r1" if scope is Scope.ROBOT else tokens.ANY_ROBOT
    token = tokens.create(edge.db, robot, scope=scope)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await edge.http.get("/ai/knowledge", headers=headers)).status_code == status
    assert (await edge.http.get("/ai/health", headers=headers)).status_code == 200


async def test_a_client_that_goes_away_cancels_the_embedding(edge: Edge) -> None:
    edge.jobs.facts = [None]
    with pytest.raises(httpx.ReadTimeout):
        await edge.http.post("/ai/knowledge/zoo", json=GUIDE, timeout=0.2)
    async with asyncio.timeout(5):
        await edge.jobs.cancelled.wait()
