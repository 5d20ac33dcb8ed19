"""The OpenAPI document: whoever reads it knows which credential each route wants."""

from pathlib import Path
from typing import Any

import pytest

from hub.edge.doorman import OPEN_PATHS
from hub.edge.rights import ALLOWED, demanded
from hub.store import tokens
from hub.store.tokens import Scope
from tests.hub.edge.conftest import Edge, served
from tests.hub.edge.test_auth import bearer

Document = dict[str, Any]


@pytest.fixture
async def document(edge: Edge) -> Document:
    read: Document = (await edge.http.get("/openapi.json")).json()
    return read


def operations(document: Document) -> list[tuple[str, str, Document]]:
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


async def test_both_ways_to_show_a_token_are_named_once(document: Document) -> None:
    schemes = document["components"]["securitySchemes"]

    assert schemes["bearer"]["type"] == "http"
    assert schemes["bearer"]["scheme"] == "bearer"
    assert schemes["api_key"]["type"] == "apiKey"
    assert (schemes["api_key"]["in"], schemes["api_key"]["name"]) == ("header", "X-API-Key")


async def test_the_ticket_of_websockets_is_explained(document: Document) -> None:
    told = document["info"]["description"]
    assert "POST /tickets" in told
    assert "?ticket=" in told


async def test_every_operation_names_the_right_that_it_demands(document: Document) -> None:
    for method, path, operation in operations(document):
        if path in OPEN_PATHS:
            assert operation["security"] == [], path
            continue
        right = demanded(method, path)
        assert operation["security"] == [{"bearer": [right]}, {"api_key": [right]}], path
        scopes = {scope for scope in Scope if right in ALLOWED[scope]}
        told = operation["description"].rpartition("tokens of scope ")[2]
        assert {scope for scope in Scope if scope.value in told} == scopes, path


async def test_every_operation_that_demands_a_right_says_how_it_is_refused(
    document: Document,
) -> None:
    for method, path, operation in operations(document):
        if path not in OPEN_PATHS:
            assert {"401", "403", "429"} <= operation["responses"].keys(), (method, path)


async def test_the_document_says_the_same_to_everybody_who_reads_it_again(edge: Edge) -> None:
    first = await edge.http.get("/openapi.json")
    assert (await edge.http.get("/openapi.json")).json() == first.json()


async def test_beyond_this_machine_the_page_opens_and_what_it_describes_does_not(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, loopback=False) as edge:
        token = tokens.create(edge.db, scope=Scope.OBSERVER)
        for path in ("/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/openapi.json"):
            assert (await edge.http.get(path)).status_code == 200, path
        for path in ("/status", "/health", "/docs-of-others"):
            assert (await edge.http.get(path)).status_code == 401, path
        assert (await edge.http.get("/status", headers=bearer(token))).status_code == 200
        assert (await edge.http.post("/docs")).status_code == 405
