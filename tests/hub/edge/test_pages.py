"""Pages of other sites: who may use the hub from a browser, and for what."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hub.store import tokens
from tests.hub.edge.conftest import Edge, served

SHOP, APP = "https://shop.example", "http://localhost:3000"

ROUTES = APIRouter()


@ROUTES.post("/api/v1/text/generate")
async def _generate() -> dict[str, str]:
    return {"text": "once"}


@pytest.fixture
async def open_to(tmp_path: Path) -> AsyncIterator[Edge]:
    rules = {"origins": [SHOP], "api_origins": [APP], "hosts": ["hub.example"]}
    async with served(tmp_path, routes=ROUTES, **rules) as made:
        yield made


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }


async def test_a_page_on_the_list_of_the_api_uses_models(open_to: Edge) -> None:
    asked = await open_to.http.options("/api/v1/text/generate", headers=preflight(APP))
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == APP
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "authorization" in asked.headers["access-control-allow-headers"]
    answer = await open_to.http.post("/api/v1/text/generate", headers={"Origin": APP})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


async def test_no_cookie_and_no_private_network_is_ever_allowed(open_to: Edge) -> None:
    for origin in (APP, SHOP):
        asking = {**preflight(origin), "Access-Control-Request-Private-Network": "true"}
        asked = await open_to.http.options("/api/v1/text/generate", headers=asking)
        assert asked.status_code == 400
        assert not {"access-control-allow-credentials", "access-control-allow-private-network"} & {
            *asked.headers
        }


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/plan"), ("POST", "/say"), ("POST", "/models/load"), ("GET", "/status"),
     ("POST", "/tickets"), ("DELETE", "/tokens/1")],
)  # fmt: skip
async def test_that_page_moves_no_robot_and_changes_nothing(
    open_to: Edge, method: str, path: str
) -> None:
    answers = [
        await open_to.http.options(path, headers=preflight(APP, method)),
        await open_to.http.request(method, path, headers={"Origin": APP}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
        assert "access-control-allow-origin" not in answer.headers


async def test_that_page_opens_no_websocket_and_a_trusted_one_does(open_to: Edge) -> None:
    for origin in (APP, "https://evil.example"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(open_to.ws("/robot?robot_id=r1"), origin=origin)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403
    async with connect(open_to.ws("/robot?robot_id=r1"), origin=SHOP) as socket:  # type: ignore[arg-type]
        await socket.send('{"type": "hello"}')
        assert await socket.recv()


async def test_a_trusted_page_uses_everything_and_can_read_what_it_is_refused(
    open_to: Edge,
) -> None:
    assert (await open_to.http.get("/status", headers={"Origin": SHOP})).status_code == 200
    tokens.create(open_to.db)
    asked = await open_to.http.options("/plan", headers=preflight(SHOP))
    assert asked.status_code == 200
    answer = await open_to.http.post("/plan", headers={"Origin": SHOP}, json={})
    assert (answer.status_code, answer.json()["error"]) == (401, "not_authorised")
    assert answer.headers["access-control-allow-origin"] == SHOP


async def test_any_other_page_is_refused_in_the_shape_of_what_it_asked_for(open_to: Edge) -> None:
    evil = {"Origin": "https://evil.example"}
    for answer in (
        await open_to.http.post("/api/v1/text/generate", headers=evil),
        await open_to.http.options(
            "/api/v1/text/generate", headers=preflight("https://evil.example")
        ),
    ):
        assert answer.status_code == 403
        assert answer.json() == {"detail": "this page or host name may not use the hub"}


async def test_the_hub_is_called_by_its_own_names_alone(open_to: Edge) -> None:
    for host, status in (("hub.example", 200), ("HUB.example:8100", 200), ("evil.example", 403)):
        answer = await open_to.http.get("/livez", headers={"Host": host})
        assert answer.status_code == status
    for path in ("/robot?robot_id=r1", "/mcp"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(open_to.ws(path), additional_headers={"Host": "evil.example"})
        assert refused.value.response.status_code == 403
