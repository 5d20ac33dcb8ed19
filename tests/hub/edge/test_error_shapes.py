"""Every family of routes tells of errors in its own shape, whoever it is that refuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from hub.edge.http_errors import FAMILIES, family_of
from hub.errors import Busy
from hub.store import tokens
from tests.hub.edge.conftest import Edge, served
from tests.hub.edge.test_auth import bearer

PATHS = {
    "robot": "/robot-buddy/x",
    "auraos": "/generate/x",
    "wespoke": "/ai/x",
    "fictures": "/api/v1/x",
    "openai": "/v1/x",
}
ROUTES = APIRouter()


class Body(BaseModel):
    text: str


for _path in PATHS.values():

    @ROUTES.post(_path)
    async def _route(body: Body) -> None:
        if body.text == "busy":
            raise Busy("everybody is at work", retry_after_s=7)
        raise RuntimeError("a bug")


def told(family: str, answer: Any) -> tuple[str | None, str]:
    """Code (where the shape has one) and sentence of an answer; its shape must be exact."""
    body = answer.json()
    match family:
        case "robot":
            assert body.keys() == {"error", "detail"}
            return body["error"], body["detail"]
        case "auraos":
            assert body.keys() == {"status", "error"}
            assert body["status"] == "error"
            return None, body["error"]
        case "wespoke":
            assert body.keys() == {"detail"}
            assert body["detail"].keys() == {"error", "message", "details"}
            return body["detail"]["details"]["code"], body["detail"]["message"]
        case "fictures":
            assert body.keys() == {"detail"}
            return None, body["detail"]
        case _:
            assert body.keys() == {"error"}
            assert body["error"].keys() == {"message", "type", "param", "code"}
            return body["error"]["code"], body["error"]["message"]


@pytest.fixture
async def families(tmp_path: Path) -> AsyncIterator[Edge]:
    async with served(tmp_path, routes=ROUTES, rate_per_minute=1) as made:
        yield made


@pytest.mark.parametrize("family", PATHS)
async def test_what_is_refused_at_the_door_has_the_familys_shape(
    families: Edge, family: str
) -> None:
    path, http = PATHS[family], families.http
    large = await http.post(path, content=bytes(40_000_000))
    deep = await http.post(path, content=b"[" * 100, headers={"Content-Type": "application/json"})
    foreign = await http.post(path, headers={"Origin": "https://evil.example"})
    watcher = bearer(tokens.create(families.db, scope=tokens.Scope.OBSERVER))
    nobody = await http.post(path)
    forbidden = await http.post(path, headers=watcher)
    for _ in range(10):
        limited = await http.post(path, headers=watcher)
    for answer, status, code in (
        (large, 413, "too_large"),
        (deep, 400, "json_too_deep"),
        (foreign, 403, "foreign_origin"),
        (nobody, 401, "not_authorised"),
        (forbidden, 403, "not_authorised"),
        (limited, 429, "rate_limited"),
    ):
        assert answer.status_code == status
        named, sentence = told(family, answer)
        assert named in (None, code)
        assert isinstance(sentence, str)
        assert sentence
    assert nobody.headers["www-authenticate"] == "Bearer"
    assert int(limited.headers["retry-after"]) > 0


@pytest.mark.parametrize("family", PATHS)
async def test_what_a_route_refuses_has_the_familys_shape(families: Edge, family: str) -> None:
    busy = await families.http.post(PATHS[family], json={"text": "busy"})
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "7")
    assert told(family, busy)[1] == "everybody is at work"
    lost = await families.http.get(PATHS[family])
    assert lost.status_code == 405
    assert told(family, lost)


@pytest.mark.parametrize("family", PATHS)
async def test_a_bug_is_a_500_of_the_familys_shape_that_tells_nothing_of_the_inside(
    families: Edge, family: str
) -> None:
    answer = await families.http.post(PATHS[family], json={"text": "x"})
    assert answer.status_code == 500
    assert told(family, answer)[1] == "the hub failed to do this"


@pytest.mark.parametrize(("family", "status"), [("robot", 422), ("fictures", 422), ("auraos", 400),
                                                ("wespoke", 400), ("openai", 400)])  # fmt: skip
async def test_a_body_that_does_not_fit_names_its_field_and_does_not_repeat_it(
    families: Edge, family: str, status: int
) -> None:
    answer = await families.http.post(PATHS[family], json={"text": ["secret"]})
    assert answer.status_code == status
    assert "secret" not in answer.text
    body = answer.json()
    if status == 422:
        assert body["detail"][0]["loc"] == ["body", "text"]
        return
    assert "body.text" in told(family, answer)[1]
    if family == "openai":
        assert body["error"]["param"] == "text"
    if family == "wespoke":
        assert body["detail"]["error"] == "ValidationError"


def test_every_family_has_its_base_and_its_bare_paths() -> None:
    assert {family_of(path).name for path in PATHS.values()} == set(PATHS)
    for path, family in {
        "/auraos/health": "auraos", "/health": "robot", "/models/load": "robot",
        "/wespoke/ai/health": "wespoke", "/airplane": "robot", "/fictures/health": "fictures",
        "/v1": "openai", "/plan": "robot", "/ask": "auraos",
    }.items():  # fmt: skip
        assert family_of(path).name == family
    assert len({path for path, _ in FAMILIES}) == len(FAMILIES)
