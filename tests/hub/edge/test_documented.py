"""What the document says of refusals."""

import re

from hub.edge.documented import refusals
from hub.edge.openai.refusing import ErrorBody
from tests.hub.edge.conftest import Edge


async def test_every_schema_that_the_document_refers_to_is_in_it(edge: Edge) -> None:
    answer = await edge.http.get("/openapi.json")
    schemas = answer.json()["components"]["schemas"]
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', answer.text))
    assert referred
    assert referred <= schemas.keys()


async def test_a_refusal_is_described_by_the_shape_of_its_route(edge: Edge) -> None:
    document = (await edge.http.get("/openapi.json")).json()
    refused = document["paths"]["/v1/chat/completions"]["post"]["responses"]["401"]
    assert refused["description"] == "A token is needed, or it is unknown."
    reference = refused["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    body = document["components"]["schemas"][reference]
    assert list(body["properties"]) == ["error"]
    inner = body["properties"]["error"]["$ref"].rpartition("/")[2]
    parts = document["components"]["schemas"][inner]["properties"]
    assert set(parts) == {"message", "type", "param", "code"}


def test_further_refusals_are_told_by_their_status_in_order() -> None:
    told = refusals(ErrorBody, job=True, s409="It has ended.")
    assert list(told) == sorted(told, key=int)
    assert told[409]["description"] == "It has ended."
    assert 404 in told
    assert 404 not in refusals(ErrorBody)
