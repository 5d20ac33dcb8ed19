"""``/tokens``: an administrator makes credentials, sees them without secrets, and takes them back."""

import pytest

from hub.store import tokens
from hub.store.tokens import Scope
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_auth import bearer


def admin(edge: Edge) -> dict[str, str]:
    return bearer(tokens.create(edge.db, tokens.ANY_ROBOT, "boss", scope=Scope.ADMIN))


async def test_a_token_is_made_shown_once_used_and_revoked(edge: Edge) -> None:
    boss = admin(edge)
    wanted = {"scope": "robot", "robot": "r1", "label": " the kitchen ", "rate": 60}
    made = await edge.http.post("/tokens", json=wanted, headers=boss)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["token"]
    assert tokens.find(edge.db, secret) is not None
    listed = await edge.http.get("/tokens", headers=boss)
    assert secret not in listed.text
    mine, robots = listed.json()["tokens"]
    assert (mine["own"], mine["scope"], mine["robot"]) == (True, "admin", "")
    assert {name: robots[name] for name in wanted} == {**wanted, "label": "the kitchen"}
    assert robots["own"] is False
    assert robots["id"] in secret

    gone = await edge.http.delete(f"/tokens/{robots['id']}", headers=boss)
    assert (gone.status_code, gone.content) == (204, b"")
    assert tokens.find(edge.db, secret) is None
    again = await edge.http.delete(f"/tokens/{robots['id']}", headers=boss)
    assert (again.status_code, again.json()["error"]) == (404, "unknown_token")
    assert edge.counters.read()["tokens.added"] == edge.counters.read()["tokens.revoked"] == 1


@pytest.mark.parametrize("scope", [Scope.CLIENT, Scope.OBSERVER, Scope.ROBOT])
async def test_nobody_else_may_so_much_as_look(edge: Edge, scope: Scope) -> None:
    admin(edge)
    robot = "r1" if scope is Scope.ROBOT else tokens.ANY_ROBOT
    caller = bearer(tokens.create(edge.db, robot, "caller", scope=scope))
    asked = [
        await edge.http.get("/tokens", headers=caller),
        await edge.http.post("/tokens", json={"scope": "admin"}, headers=caller),
        await edge.http.delete("/tokens/00000000", headers=caller),
    ]
    assert [answer.status_code for answer in asked] == [403, 403, 403]
    assert len(tokens.listed(edge.db)) == 2


async def test_the_first_token_closes_a_hub_that_was_open_to_its_own_machine(edge: Edge) -> None:
    made = await edge.http.post("/tokens", json={"scope": "admin"})
    assert made.status_code == 201
    assert (await edge.http.get("/tokens")).status_code == 401
    (own,) = (await edge.http.get("/tokens", headers=bearer(made.json()["token"]))).json()["tokens"]
    assert own["own"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scope": "robot"}, 400), ({"scope": "admin", "robot": "r1"}, 400),
        ({"scope": "robot", "robot": "<script>"}, 400), ({"scope": "king"}, 422),
        ({"scope": "client", "rate": 0}, 422), ({"scope": "client", "label": "a\nb"}, 422),
        ({"scope": "client", "label": "x" * 101}, 422), ({}, 422),
    ],
)  # fmt: skip
async def test_a_token_that_contradicts_itself_is_refused(
    edge: Edge, body: dict[str, object], status: int
) -> None:
    assert (await edge.http.post("/tokens", json=body)).status_code == status
    assert tokens.listed(edge.db) == ()
