"""A robot without a token is let in by the code that it shows."""

import asyncio

import pytest
from websockets.asyncio.client import connect

from hub.edge.pairings import (
    BEGUN_PER_MINUTE,
    LIFE_S,
    MOST_WAITING,
    WRONG_PER_MINUTE,
    Pairings,
    UnknownPairing,
)
from hub.errors import Busy, RateLimited
from hub.store import tokens
from hub.store.tokens import Scope
from robot_sim.errors import PairingFailed
from robot_sim.pi.pairing import pair
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_auth import HELLO, bearer


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def pairings(*codes: str) -> tuple[Pairings, Clock]:
    clock = Clock()
    if not codes:
        return Pairings(clock), clock
    return Pairings(clock, iter(codes).__next__), clock


def test_a_confirmed_code_is_worth_one_token_to_the_robot_that_shows_it() -> None:
    made, _ = pairings()
    begun = made.begin("r1", "10.0.0.7")
    assert len(begun.code) == 6
    assert begun.code.isdecimal()
    assert made.collect(begun.secret, "10.0.0.7") is None
    assert [(one.robot, one.code, one.expires_in_s) for one in made.waiting()] == [
        ("r1", begun.code, LIFE_S)
    ]
    assert made.confirm(begun.code) == "r1"
    assert made.waiting() == ()
    confirmed = made.collect(begun.secret, "10.0.0.7")
    assert confirmed is not None
    assert (confirmed.robot, confirmed.address) == ("r1", "10.0.0.7")
    with pytest.raises(UnknownPairing):
        made.collect(begun.secret, "10.0.0.7")
    with pytest.raises(UnknownPairing):
        made.confirm(begun.code)


def test_the_code_alone_is_worth_nothing() -> None:
    made, _ = pairings()
    begun = made.begin("r1", "a")
    made.confirm(begun.code)
    with pytest.raises(UnknownPairing):
        made.collect(begun.code, "a")


def test_after_two_minutes_neither_code_nor_secret_means_anything() -> None:
    made, clock = pairings()
    unconfirmed, confirmed = made.begin("r1", "a"), made.begin("r2", "a")
    made.confirm(confirmed.code)
    clock.now_s += LIFE_S
    assert made.waiting() == ()
    with pytest.raises(UnknownPairing):
        made.confirm(unconfirmed.code)
    with pytest.raises(UnknownPairing):
        made.collect(confirmed.secret, "a")


def test_no_two_robots_that_wait_show_the_same_code() -> None:
    made, _ = pairings("111111", "111111", "111111", "222222")
    assert made.begin("r1", "a").code == "111111"
    assert made.begin("r2", "a").code == "222222"


def test_a_robot_that_asks_again_has_one_request() -> None:
    made, _ = pairings()
    first, second = made.begin("r1", "a"), made.begin("r1", "a")
    assert [one.code for one in made.waiting()] == [second.code]
    with pytest.raises(UnknownPairing):
        made.collect(first.secret, "a")
    made.begin("r1", "b")  # another device of this name: both are shown
    assert [one.address for one in made.waiting()] == ["a", "b"]


def test_who_asks_too_often_waits_and_holds_nobody_else_up() -> None:
    made, clock = pairings()
    for _ in range(BEGUN_PER_MINUTE):
        made.begin("r1", "a")
    with pytest.raises(RateLimited) as refused:
        made.begin("r1", "a")
    assert refused.value.retry_after_s > 0
    made.begin("r2", "b")
    clock.now_s += 60
    made.begin("r1", "a")


def test_so_many_robots_may_wait() -> None:
    made, _ = pairings()
    for number in range(MOST_WAITING):
        made.begin("r1", str(number))
    with pytest.raises(Busy):
        made.begin("r1", "one more")


def test_codes_cannot_be_tried_through() -> None:
    made, clock = pairings("555555")
    made.begin("r1", "a")
    for number in range(WRONG_PER_MINUTE):
        with pytest.raises(UnknownPairing):
            made.confirm(f"{number:06}")
    with pytest.raises(RateLimited):
        made.confirm("555555")
    clock.now_s += 10
    assert made.confirm("555555") == "r1"


def admin(edge: Edge) -> dict[str, str]:
    return bearer(tokens.create(edge.db, scope=Scope.ADMIN))


async def test_a_robot_pairs_and_connects_with_what_it_got(edge: Edge) -> None:
    headers = admin(edge)
    shown: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(
            pair(edge.ws(""), "r1", lambda code, seconds: shown.put_nowait(code), 0.05)
        )
        code = await shown.get()
        waiting = (await edge.http.get("/pairing/waiting", headers=headers)).json()["waiting"]
        assert [(one["robot_id"], one["code"]) for one in waiting] == [("r1", code)]
        done = await edge.http.post("/pairing/confirm", json={"code": code}, headers=headers)
        assert done.json() == {"robot_id": "r1"}
    paired = asking.result()
    grant = tokens.find(edge.db, paired.token)
    assert grant is not None
    assert (grant.robot, grant.scope) == ("r1", Scope.ROBOT)
    async with connect(
        edge.ws("/robot?robot_id=r1"), additional_headers=bearer(paired.token)
    ) as socket:
        await socket.send(HELLO)
        assert (await edge.sessions.newest()).robot == "r1"


async def test_only_an_administrator_sees_codes_and_lets_in(edge: Edge) -> None:
    admin(edge)
    begun = (await edge.http.post("/pairing", json={"robot_id": "r1"})).json()
    for scope, robot in ((Scope.CLIENT, "*"), (Scope.OBSERVER, "*"), (Scope.ROBOT, "r1")):
        headers = bearer(tokens.create(edge.db, robot, scope=scope))
        asked = await edge.http.get("/pairing/waiting", headers=headers)
        body = {"code": begun["code"]}
        confirmed = await edge.http.post("/pairing/confirm", json=body, headers=headers)
        assert (asked.status_code, confirmed.status_code) == (403, 403)
    assert (await edge.http.get("/pairing/waiting")).status_code == 401
    answer = await edge.http.post("/pairing/token", json={"pairing": begun["pairing"]})
    assert (answer.status_code, answer.json()) == (202, {"state": "waiting"})


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/pairing", {"robot_id": "a b"}, 400),
        ("/pairing", {}, 422),
        ("/pairing/token", {"pairing": "nonsense"}, 404),
        ("/pairing/confirm", {"code": "12345"}, 422),
        ("/pairing/confirm", {"code": "123456"}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused(
    edge: Edge, path: str, body: dict[str, str], status: int
) -> None:
    assert (await edge.http.post(path, json=body, headers=admin(edge))).status_code == status


async def test_the_robot_is_told_when_the_hub_does_not_pair_or_is_not_there(edge: Edge) -> None:
    for _ in range(BEGUN_PER_MINUTE):
        await edge.http.post("/pairing", json={"robot_id": "r1"})
    with pytest.raises(PairingFailed, match="429"):
        await pair(edge.ws(""), "r1", lambda code, seconds: None, 0.05)
    with pytest.raises(PairingFailed, match="cannot be asked"):
        await pair("ws://127.0.0.1:9", "r1", lambda code, seconds: None, 0.05)
