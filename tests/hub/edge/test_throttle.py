"""How often a caller may ask."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from hub.edge.auth import FAILURES_PER_MINUTE
from hub.edge.throttle import Recent, Throttle, neighbourhood
from hub.store import tokens
from tests.hub.edge.conftest import drained, served
from tests.hub.edge.test_auth import HELLO, bearer
from tests.hub.edge.test_tickets import Clock


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    throttle = Throttle(60, burst=5)
    assert [throttle.take("a", 0.0) for _ in range(6)] == [0] * 5 + [1]
    assert throttle.take("b", 0.0) == 0
    assert throttle.take("a", 0.5) == 1
    assert throttle.take("a", 1.0) == 0
    assert throttle.take("a", 1.0) == 1


def test_the_wait_that_is_told_is_long_enough() -> None:
    throttle = Throttle(2, burst=1)
    throttle.take("a", 0.0)
    wait_s = throttle.take("a", 0.0)
    assert wait_s == 30
    assert throttle.take("a", wait_s) == 0


def test_a_token_has_its_own_rate_and_none_is_no_limit() -> None:
    throttle = Throttle(0)
    assert {throttle.take("a", 0.0) for _ in range(10_000)} == {0}
    assert [throttle.take("b", 0.0, per_minute=1) for _ in range(11)] == [0] * 10 + [60]


@given(st.lists(st.tuples(st.floats(0, 0.5), st.booleans()), max_size=200))
def test_no_caller_ever_gets_more_than_its_burst_and_its_rate(
    steps: list[tuple[float, bool]],
) -> None:
    throttle, now_s, let_in = Throttle(60, burst=4), 0.0, 0
    for step_s, back in steps:
        now_s += step_s
        let_in += throttle.take("a", max(0.0, now_s - 1.0) if back else now_s) == 0
    assert let_in <= 4 + now_s + 1e-6


def test_the_table_of_callers_is_bounded() -> None:
    throttle = Throttle(60, burst=1, most=10)
    for number in range(1_000):
        throttle.take(str(number), 0.0)
    assert len(throttle) == 10
    assert throttle.take("999", 0.0) > 0


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_stands_for_all_that_its_owner_has(address: str, stands_for: str) -> None:
    assert neighbourhood(address) == stands_for


async def test_a_token_that_asks_too_often_is_429_with_a_time_and_others_are_not(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with served(tmp_path, rate_per_minute=30, clock_s=clock) as edge:
        busy, quick = bearer(tokens.create(edge.db)), bearer(tokens.create(edge.db, rate=6_000))
        statuses = [(await edge.http.get("/status", headers=busy)).status_code for _ in range(11)]
        assert statuses == [200] * 10 + [429]
        answer = await edge.http.get("/status", headers=busy)
        assert answer.json()["error"] == "rate_limited"
        assert answer.headers["retry-after"] == "2"
        async with connect(edge.ws("/robot?robot_id=r1"), additional_headers=busy) as socket:
            assert (await drained(socket))[:2] == (4429, "rate_limited 2")
        assert (await edge.http.get("/status", headers=quick)).status_code == 200
        clock.now_s += 2
        assert (await edge.http.get("/status", headers=busy)).status_code == 200
        assert edge.counters.read()["requests_refused.rate_limited"] == 2


async def test_guessing_is_stopped_at_its_address_and_a_proven_token_there_still_works(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with served(tmp_path, clock_s=clock) as edge:
        proven, fresh = bearer(tokens.create(edge.db)), bearer(tokens.create(edge.db))
        assert (await edge.http.get("/status", headers=proven)).status_code == 200
        for number in range(FAILURES_PER_MINUTE):
            wrong = bearer(f"guess-{number}")
            assert (await edge.http.get("/status", headers=wrong)).status_code == 401
        for guess in (bearer("one more"), fresh):
            answer = await edge.http.get("/status", headers=guess)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "6")
        async with connect(edge.ws("/robot?robot_id=r1&ticket=guess")) as socket:
            assert (await drained(socket))[0] == 4429
        assert (await edge.http.get("/status", headers=proven)).status_code == 200
        assert (await edge.http.get("/status")).status_code == 401
        clock.now_s += 6
        assert (await edge.http.get("/status", headers=fresh)).status_code == 200


async def test_a_robot_that_comes_back_with_a_revoked_token_locks_nobody_out(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, clock_s=Clock()) as edge:
        token, other = tokens.create(edge.db), tokens.create(edge.db)
        assert (await edge.http.get("/status", headers=bearer(token))).status_code == 200
        tokens.revoke(edge.db, token.split("_")[1])
        for _ in range(3 * FAILURES_PER_MINUTE):
            assert (await edge.http.get("/status", headers=bearer(token))).status_code == 401
        assert (await edge.http.get("/status", headers=bearer(other))).status_code == 200


async def test_a_revoked_token_is_no_longer_a_proven_one(tmp_path: Path) -> None:
    async with served(tmp_path, clock_s=Clock()) as edge:
        token = tokens.create(edge.db)
        tokens.create(edge.db)
        assert (await edge.http.get("/status", headers=bearer(token))).status_code == 200
        tokens.revoke(edge.db, token.split("_")[1])
        wrong = [token, *(f"guess-{number}" for number in range(FAILURES_PER_MINUTE - 1))]
        for guess in (*wrong, token):
            answer = await edge.http.get("/status", headers=bearer(guess))
        assert answer.status_code == 429


def test_what_was_seen_lately_is_bounded() -> None:
    recent = Recent(most=2)
    assert [recent.add(name) for name in (b"a", b"b", b"a", b"c")] == [True, True, False, True]
    assert [name in recent for name in (b"a", b"b", b"c")] == [True, False, True]
    recent.forget(b"a")
    assert b"a" not in recent


async def test_an_open_hub_counts_nobody(tmp_path: Path) -> None:
    async with served(tmp_path, rate_per_minute=1, clock_s=Clock()) as edge:
        for _ in range(30):
            assert (await edge.http.get("/livez")).status_code == 200
            assert (await edge.http.get("/status", headers=bearer("x"))).status_code == 200
        async with connect(edge.ws("/robot?robot_id=r1")) as socket:
            await socket.send(HELLO)
            assert await socket.recv()
