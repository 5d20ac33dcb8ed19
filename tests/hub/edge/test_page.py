"""The dashboard's page: for browsers, without a token, under a policy that lets nothing in."""

from pathlib import Path

import pytest

from hub.edge import page_routes
from hub.edge.page_routes import POLICY, wants_page
from hub.store import tokens
from tests.hub.edge.conftest import Edge

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that is built, with a script."""
    folder = tmp_path / "dist"
    (folder / "dashboard").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>built</title>")
    (folder / "dashboard" / "index-1a2B.js").write_text("start()")
    (folder / "secret.js").write_text("no")
    monkeypatch.setattr(page_routes, "BUILT", folder)
    return folder


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (BROWSER["Accept"], True), ("TEXT/HTML;q=0.5", True), ("*/*", False), ("", False),
        ("application/json, text/plain, */*", False), ("text/htmlx", False),
    ],
)  # fmt: skip
def test_browsers_are_known_by_what_they_accept(accept: str, wanted: bool) -> None:
    assert wants_page(accept) is wanted


async def test_a_browser_gets_the_page_and_a_program_the_list(edge: Edge, built: Path) -> None:
    page = await edge.http.get("/", headers=BROWSER)
    assert "<title>built</title>" in page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["cache-control"] == "no-cache"
    assert (await edge.http.get("/")).json()["name"] == "Robot Hub"


async def test_the_page_of_an_hour_ago_is_not_shown_once_another_is_built(
    edge: Edge, built: Path
) -> None:
    await edge.http.get("/", headers=BROWSER)
    (built / "index.html").write_text("<title>anew, and longer</title>")
    assert "anew" in (await edge.http.get("/", headers=BROWSER)).text


async def test_what_the_page_loads_may_be_kept_for_ever(edge: Edge, built: Path) -> None:
    script = await edge.http.get("/dashboard/index-1a2B.js")
    assert script.text == "start()"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["none.js", "..%2Fsecret.js", "%2e%2e%2fsecret.js", "....//secret.js", "index-1a2B", ".js",
     "index-1a2B.js%00", "a/b.js"],
)  # fmt: skip
async def test_nothing_else_is_given_out(edge: Edge, built: Path, name: str) -> None:
    assert (await edge.http.get(f"/dashboard/{name}")).status_code == 404


async def test_the_page_needs_no_token_and_what_it_shows_does(edge: Edge, built: Path) -> None:
    tokens.create(edge.db, tokens.ANY_ROBOT, "page")
    assert (await edge.http.get("/", headers=BROWSER)).status_code == 200
    assert (await edge.http.get("/dashboard/index-1a2B.js")).status_code == 200
    assert (await edge.http.get("/")).status_code == 401
    assert (await edge.http.get("/status", headers=BROWSER)).status_code == 401
    assert (await edge.http.post("/", headers=BROWSER)).status_code == 401


async def test_a_hub_without_the_page_tells_how_to_build_it(
    edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_routes, "BUILT", tmp_path / "nowhere")
    page = await edge.http.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert "scripts/build_page.sh" in page.text
    assert (await edge.http.get("/health")).status_code in (200, 503)
