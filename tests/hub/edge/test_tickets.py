"""One-use tickets, with which a browser opens a WebSocket."""

import json

import pytest
from websockets.asyncio.client import connect

from hub.edge.tickets import LIFE_S, MOST_OF_ONE, Tickets
from hub.errors import Busy
from hub.store import tokens
from hub.store.tokens import Grant, Scope
from tests.hub.edge.conftest import Edge, drained
from tests.hub.edge.test_auth import HELLO, bearer

GRANT = Grant("1", "r1", Scope.ROBOT)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_ticket_is_worth_its_grant_once() -> None:
    tickets = Tickets(Clock())
    one, other = tickets.issue(GRANT), tickets.issue(GRANT)
    assert one != other
    assert tickets.redeem(one) == GRANT
    assert tickets.redeem(one) is None
    assert tickets.redeem("nonsense") is None
    assert tickets.redeem(other) == GRANT


def test_a_ticket_is_worth_nothing_after_thirty_seconds() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    ticket, later = tickets.issue(GRANT), tickets.issue(GRANT)
    clock.now_s += LIFE_S - 0.1
    assert tickets.redeem(later) == GRANT
    clock.now_s += 0.1
    assert tickets.redeem(ticket) is None


def test_one_caller_cannot_hoard_tickets_nor_keep_others_from_theirs() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    for _ in range(MOST_OF_ONE):
        tickets.issue(GRANT)
    with pytest.raises(Busy) as refused:
        tickets.issue(GRANT)
    assert refused.value.retry_after_s == LIFE_S
    assert tickets.issue(GRANT._replace(id="2"))
    clock.now_s += LIFE_S
    assert tickets.issue(GRANT)


async def bought(edge: Edge, token: str) -> str:
    answer = await edge.http.post("/tickets", headers=bearer(token))
    assert answer.status_code == 200
    assert answer.json()["expires_in_s"] == 30
    ticket: str = answer.json()["ticket"]
    return ticket


@pytest.mark.parametrize("path", ["/robot", "/converse"])
async def test_a_ticket_opens_one_websocket_as_the_robot_of_its_token(
    edge: Edge, path: str
) -> None:
    token = tokens.create(edge.db, "r1")
    ticket = await bought(edge, token)
    url = edge.ws(f"{path}?robot_id=r1&ticket={ticket}")
    async with connect(url) as socket:
        await socket.send(HELLO)
        assert await socket.recv()
        assert (await edge.sessions.newest()).robot == "r1"
    async with connect(url) as socket:
        assert (await drained(socket))[:2] == (4003, "not_authorised")


async def test_a_ticket_covers_no_more_than_its_token(edge: Edge) -> None:
    ticket = await bought(edge, tokens.create(edge.db, "r1"))
    async with connect(edge.ws(f"/robot?robot_id=r2&ticket={ticket}")) as socket:
        assert (await drained(socket))[0] == 4003


async def test_a_ticket_is_worth_nothing_once_its_token_is_revoked(edge: Edge) -> None:
    tokens.create(edge.db, "r2")
    token = tokens.create(edge.db, "r1")
    ticket = await bought(edge, token)
    tokens.revoke(edge.db, token.split("_")[1])
    async with connect(edge.ws(f"/robot?robot_id=r1&ticket={ticket}")) as socket:
        assert (await drained(socket))[0] == 4003


async def test_a_ticket_of_an_open_hub_closes_with_it(edge: Edge) -> None:
    first = (await edge.http.post("/tickets")).json()["ticket"]
    second = (await edge.http.post("/tickets")).json()["ticket"]
    async with connect(edge.ws(f"/robot?robot_id=r1&ticket={first}")) as socket:
        await socket.send(HELLO)
        assert json.loads(await socket.recv())["type"] == "welcome"
    tokens.create(edge.db, "r1")
    async with connect(edge.ws(f"/robot?robot_id=r1&ticket={second}")) as socket:
        assert (await drained(socket))[0] == 4003


async def test_a_ticket_opens_nothing_but_a_websocket(edge: Edge) -> None:
    ticket = await bought(edge, tokens.create(edge.db))
    assert (await edge.http.get(f"/status?ticket={ticket}")).status_code == 401


async def test_tickets_are_not_for_sale_without_a_token(edge: Edge) -> None:
    tokens.create(edge.db)
    assert (await edge.http.post("/tickets")).status_code == 401
