"""Who may come in: by token, by page, by name."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hub.edge.auth import Gate
from hub.errors import CredentialsMissing
from hub.store import tokens
from tests.hub.edge.conftest import DbTokens, Edge, drained
from tests.hub.edge.test_http import WORLD

HELLO = '{"type": "hello"}'


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_without_any_token_loopback_is_open(edge: Edge) -> None:
    assert (await edge.http.get("/status")).status_code == 200
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await socket.send(HELLO)
        assert json.loads(await socket.recv())["type"] == "welcome"


async def test_once_there_is_a_token_nothing_but_livez_is_served_without(edge: Edge) -> None:
    tokens.create(edge.db, "r1")
    for path in ("/status", "/health", "/readyz", "/", "/docs", "/openapi.json", "/nowhere"):
        answer = await edge.http.get(path)
        assert (answer.status_code, answer.json()["error"]) == (401, "not_authorised")
    assert (await edge.http.post("/plan", json=WORLD)).status_code == 401
    assert (await edge.http.get("/livez")).status_code == 200


async def test_a_client_token_opens_everything_by_header_or_by_query(edge: Edge) -> None:
    token = tokens.create(edge.db)
    assert (await edge.http.get("/status", headers=bearer(token))).status_code == 200
    assert (await edge.http.get(f"/status?token={token}")).status_code == 200
    assert (await edge.http.get("/status", headers=bearer(token + "x"))).status_code == 401


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
    for query in ("", "&token=nonsense", f"&token={other}"):
        async with connect(edge.ws(f"{path}?robot_id=r1{query}")) as socket:
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
