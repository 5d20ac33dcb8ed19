"""The page of the OpenAPI document: everything it needs comes from the hub."""

import re

import httpx
import pytest

from hub.edge.docs_routes import POLICY
from tests.hub.edge.conftest import Edge

FOREIGN = re.compile(r"""(?:https?:)?//\w""")


def directives(answer: httpx.Response) -> dict[str, list[str]]:
    policy = answer.headers["content-security-policy"]
    return {words[0]: words[1:] for part in policy.split(";") if (words := part.split())}


async def test_the_page_may_load_nothing_but_what_the_hub_serves(edge: Edge) -> None:
    page = await edge.http.get("/docs")

    allowed = directives(page)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["script-src"] == allowed["style-src"] == allowed["connect-src"] == ["'self'"]
    assert "unsafe" not in POLICY
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_the_page_holds_no_script_and_no_style_of_its_own(edge: Edge) -> None:
    text = (await edge.http.get("/docs")).text

    assert re.findall(r"<script[^>]*>([^<]*)</script>", text) == ["", ""]
    assert not re.search(r"<style|\son\w+=|\sstyle=|javascript:", text)


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js"])
async def test_no_address_of_another_server_stands_in_what_the_hub_wrote(
    edge: Edge, path: str
) -> None:
    assert not FOREIGN.search((await edge.http.get(path)).text)


async def test_everything_that_the_page_names_is_served_under_the_same_policy(edge: Edge) -> None:
    page = (await edge.http.get("/docs")).text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)

    answers = {name: await edge.http.get(f"/{name}") for name in named}

    kinds = {name: answer.headers["content-type"].split(";")[0] for name, answer in answers.items()}
    assert kinds == {
        "docs/favicon-32x32.png": "image/png",
        "docs/swagger-ui.css": "text/css",
        "docs/swagger-ui-bundle.js": "text/javascript",
        "docs/start.js": "text/javascript",
    }
    assert all(a.status_code == 200 and directives(a)["script-src"] for a in answers.values())
    assert b"SwaggerUIBundle" in answers["docs/swagger-ui-bundle.js"].content


async def test_the_document_that_the_page_shows_is_the_hubs(edge: Edge) -> None:
    start = (await edge.http.get("/docs/start.js")).text
    (url,) = re.findall(r'url: "([^"]+)"', start)

    document = (await edge.http.get(f"/{url}")).json()

    assert document["info"]["title"] == "Robot Hub"
    assert "/docs" not in document["paths"]


async def test_the_page_shows_its_document_to_no_validator_on_the_internet(edge: Edge) -> None:
    assert "validatorUrl: null" in (await edge.http.get("/docs/start.js")).text


@pytest.mark.parametrize("name", ["__init__.py", "..%2fmain.py", "swagger-ui.js"])
async def test_nothing_else_of_the_package_is_served(edge: Edge, name: str) -> None:
    assert (await edge.http.get(f"/docs/{name}")).status_code == 404


async def test_there_is_no_second_page_with_scripts_from_elsewhere(edge: Edge) -> None:
    assert (await edge.http.get("/redoc")).status_code == 404
