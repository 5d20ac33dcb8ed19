"""Who may come in: by token, by page, by name."""

import json
from pathlib import Path

import pytest
from fastapi import APIRouter
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hub.edge.admission import admit_caller
from hub.edge.auth import Gate
from hub.edge.rights import ALLOWED, Right, demanded
from hub.errors import CredentialsMissing
from hub.store import tokens
from hub.store.tokens import Scope
from tests.hub.edge.conftest import DbTokens, Edge, drained, served
from tests.hub.edge.test_http import WORLD

HELLO = '{"type": "hello"}'


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_without_any_token_loopback_is_open(edge: Edge) -> None:
    assert (await edge.http.get("/status")).status_code == 200
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await socket.send(HELLO)
        assert json.loads(await socket.recv())["type"] == "welcome"


async def test_once_there_is_a_token_nothing_that_the_hub_knows_is_served_without(
    edge: Edge,
) -> None:
    tokens.create(edge.db, "r1")
    for path in ("/status", "/health", "/readyz", "/", "/jobs", "/nowhere"):
        answer = await edge.http.get(path)
        assert (answer.status_code, answer.json()["error"]) == (401, "not_authorised")
    assert (await edge.http.post("/plan", json=WORLD)).status_code == 401
    assert (await edge.http.get("/livez")).status_code == 200


async def test_a_client_token_is_shown_by_either_header(edge: Edge) -> None:
    token = tokens.create(edge.db)
    for headers in (bearer(token), {"X-API-Key": token}):
        assert (await edge.http.get("/status", headers=headers)).status_code == 200
    for headers in (bearer(token + "x"), {"X-API-Key": "no"}, {"Authorization": "Basic eDp5"}):
        assert (await edge.http.get("/status", headers=headers)).status_code == 401


@pytest.mark.parametrize("defined", [False, True])
async def test_a_token_in_a_url_is_refused_however_good_it_is(edge: Edge, defined: bool) -> None:
    token = tokens.create(edge.db) if defined else "x"
    if defined:
        for name in ("token", "api_key", "access_token"):
            answer = await edge.http.get(f"/status?{name}={token}", headers=bearer(token))
            assert (answer.status_code, answer.json()["error"]) == (401, "token_in_url")
            assert "POST /tickets" in answer.json()["detail"]
    async with connect(edge.ws(f"/robot?robot_id=r1&token={token}")) as socket:
        assert (await drained(socket))[:2] == (4003, "token_in_url")


S = Scope
TABLE: list[tuple[str, str, tuple[Scope, ...]]] = [
    ("GET", "/health", (S.ROBOT, S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("GET", "/docs", (S.ROBOT, S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("GET", "/v1/models", (S.ROBOT, S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("POST", "/tickets", (S.ROBOT, S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("GET", "/status", (S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("GET", "/metrics", (S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("GET", "/jobs/7", (S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("DELETE", "/jobs/7", (S.CLIENT, S.ADMIN)),
    ("POST", "/plan", (S.ROBOT, S.CLIENT, S.ADMIN)),
    ("POST", "/robot-buddy/tts", (S.ROBOT, S.CLIENT, S.ADMIN)),
    ("POST", "/v1/chat/completions", (S.CLIENT, S.ADMIN)),
    ("POST", "/auraos/generate", (S.CLIENT, S.ADMIN)),
    ("POST", "/mcp", (S.ROBOT, S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("GET", "/mcp", (S.ROBOT, S.CLIENT, S.OBSERVER, S.ADMIN)),
    ("POST", "/models/load", (S.ADMIN,)),
    ("POST", "/drain", (S.ADMIN,)),
    ("GET", "/tokens", (S.ADMIN,)),
]


@pytest.mark.parametrize(("method", "path", "allowed"), TABLE)
async def test_each_scope_reaches_what_it_is_for_and_nothing_else(
    edge: Edge, method: str, path: str, allowed: tuple[Scope, ...]
) -> None:
    for scope in Scope:
        token = tokens.create(edge.db, "r1" if scope is S.ROBOT else tokens.ANY_ROBOT, scope=scope)
        answer = await edge.http.request(method, path, headers=bearer(token))
        assert (answer.status_code != 403) is (scope in allowed), (scope, answer.text)
        assert answer.status_code != 401


@pytest.mark.parametrize("scope", [S.CLIENT, S.ADMIN, S.OBSERVER])
async def test_who_may_use_any_robot_may_be_one_and_who_only_looks_may_not(
    edge: Edge, scope: Scope
) -> None:
    headers = bearer(tokens.create(edge.db, scope=scope))
    async with connect(edge.ws("/robot?robot_id=r9"), additional_headers=headers) as socket:
        if scope is S.OBSERVER:
            assert (await drained(socket))[0] == 4003
        else:
            await socket.send(HELLO)
            assert json.loads(await socket.recv())["type"] == "welcome"


async def test_a_websocket_of_a_program_is_admitted_by_what_it_demands(tmp_path: Path) -> None:
    routes = APIRouter()

    @routes.websocket("/v1/realtime")
    async def realtime(websocket: WebSocket) -> None:
        assert edge.services is not None
        grant = await admit_caller(websocket, edge.services)
        if grant is not None:
            await websocket.send_text(grant.scope)
            await websocket.close()

    async with served(tmp_path, routes=routes) as edge:
        for scope in Scope:
            robot = "r1" if scope is S.ROBOT else tokens.ANY_ROBOT
            headers = bearer(tokens.create(edge.db, robot, scope=scope))
            async with connect(edge.ws("/v1/realtime"), additional_headers=headers) as socket:
                code, _, frames = await drained(socket)
            allowed = scope in (S.CLIENT, S.ADMIN)
            assert (code, frames) == ((1000, [scope.value]) if allowed else (4003, []))


def test_every_scope_and_right_stands_in_the_tables() -> None:
    assert set(ALLOWED) == set(Scope)
    assert ALLOWED[S.ADMIN] == set(Right)
    assert demanded("POST", "/planet") is Right.USE
    assert demanded("GET", "/") is demanded("GET", "/fictures") is Right.KNOW
    assert demanded("WEBSOCKET", "/robot") is Right.ROBOT
    assert demanded("WEBSOCKET", "/v1/realtime") is Right.USE


async def test_a_robots_token_plans_and_speaks_for_that_robot_alone(edge: Edge) -> None:
    headers = bearer(tokens.create(edge.db, "r1"))
    assert (await edge.http.post("/plan", json=WORLD, headers=headers)).status_code == 200
    for path, body in (
        ("/plan", {**WORLD, "robot_id": "r2"}),
        ("/say", {"robot_id": "r2", "text": "hi"}),
        ("/tts", {"robot_id": "r2", "text": "hi"}),
    ):
        answer = await edge.http.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "not_authorised")
    assert edge.sessions.said == []


@pytest.mark.parametrize("path", ["/robot", "/converse"])
async def test_a_connection_is_the_robot_that_its_token_names_or_sees_4003(
    edge: Edge, path: str
) -> None:
    mine, other = tokens.create(edge.db, "r1"), tokens.create(edge.db, "r2")
    for headers in ({}, bearer("nonsense"), bearer(other)):
        url = edge.ws(f"{path}?robot_id=r1")
        async with connect(url, additional_headers=headers) as socket:
            assert (await drained(socket))[:2] == (4003, "not_authorised")
    assert edge.sessions.attached == []
    url = edge.ws(f"{path}?robot_id=r1")
    async with connect(url, additional_headers=bearer(mine)) as socket:
        await socket.send(HELLO)
        assert await socket.recv()
        assert (await edge.sessions.newest()).robot == "r1"


async def test_a_revoked_token_closes_the_door_at_once(edge: Edge) -> None:
    token = tokens.create(edge.db)
    tokens.create(edge.db, "r1")
    assert (await edge.http.get("/status", headers=bearer(token))).status_code == 200
    tokens.revoke(edge.db, token.split("_")[1])
    assert (await edge.http.get("/status", headers=bearer(token))).status_code == 401


async def test_a_page_of_another_site_may_not_use_the_hub(edge: Edge) -> None:
    host = f"127.0.0.1:{edge.port}"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        answer = await edge.http.get("/status", headers={"Origin": origin})
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
        with pytest.raises(InvalidStatus) as refused:
            await connect(edge.ws("/robot?robot_id=r1"), origin=origin)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403
    own = {"Origin": f"http://{host}"}
    assert (await edge.http.get("/status", headers=own)).status_code == 200


async def test_a_name_that_was_pointed_at_this_machine_is_refused(edge: Edge) -> None:
    for host in ("evil.example", f"evil.example:{edge.port}"):
        answer = await edge.http.get("/status", headers={"Host": host})
        assert answer.status_code == 403
    for host in (f"localhost:{edge.port}", f"[::1]:{edge.port}"):
        assert (await edge.http.get("/status", headers={"Host": host})).status_code == 200


async def test_listening_beyond_this_machine_needs_a_token_to_exist(edge: Edge) -> None:
    gate = Gate(DbTokens(edge.db), loopback=False)
    with pytest.raises(CredentialsMissing, match="robot-hub tokens add"):
        await gate.check_start()
    await Gate(DbTokens(edge.db), loopback=True).check_start()
    tokens.create(edge.db)
    await gate.check_start()
