"""Timers and reminders over HTTP."""

from datetime import UTC, datetime

import pytest

from hub.reminders.reminder import MOST
from hub.store import tokens
from hub.store.tokens import Scope
from tests.hub.edge.conftest import Edge

NOW = datetime.fromtimestamp(1_800_000_000, UTC)
PATH = "/robots/r1/reminders"


async def test_a_reminder_is_set_listed_and_forgotten(edge: Edge) -> None:
    made = await edge.http.post(PATH, json={"text": "feed the cat", "at": "2027-01-15T10:00:00"})
    assert made.status_code == 201
    body = made.json()
    assert (body["kind"], body["text"]) == ("reminder", "feed the cat")
    assert body["due"] == "2027-01-15T10:00:00+01:00"
    assert body["left_s"] == pytest.approx(3_600)

    listed = (await edge.http.get(PATH)).json()
    assert listed == {"reminders": [body], "ended": []}
    assert (await edge.http.get("/robots/r2/reminders")).json()["reminders"] == []

    assert (await edge.http.delete(f"{PATH}/{body['id']}")).status_code == 204
    again = await edge.http.delete(f"{PATH}/{body['id']}")
    assert (again.status_code, again.json()["error"]) == (404, "unknown_reminder")
    listed = (await edge.http.get(PATH)).json()
    assert [(e["id"], e["fate"]) for e in listed["ended"]] == [(body["id"], "deleted")]


async def test_a_timer_is_set_for_so_many_seconds(edge: Edge) -> None:
    made = (await edge.http.post(PATH, json={"kind": "timer", "in_s": 300})).json()
    assert made["kind"] == "timer"
    assert made["left_s"] == pytest.approx(300, abs=5)
    assert list(edge.kept.kept) == [made["id"]]


async def test_a_moment_with_an_offset_is_taken_as_it_is(edge: Edge) -> None:
    made = (await edge.http.post(PATH, json={"at": "2027-01-15T10:00:00Z"})).json()
    assert made["due"] == "2027-01-15T11:00:00+01:00"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "bad_moment"),
        ({"in_s": 5, "at": "2027-01-15T10:00:00Z"}, 400, "bad_moment"),
        ({"kind": "timer", "at": "2027-01-15T10:00:00Z"}, 400, "bad_moment"),
        ({"at": "2027-01-15T07:59:59Z"}, 400, "never_due"),
        ({"at": "2029-01-15T07:59:59Z"}, 400, "never_due"),
        ({"at": "0001-01-01T00:00:00+14:00"}, 400, None),
        ({"in_s": 0}, 422, None),
        ({"in_s": 10**9}, 422, None),
        ({"in_s": 5, "text": "x" * 201}, 422, None),
        ({"in_s": 5, "text": "a\u0000b"}, 422, None),
        ({"in_s": 5, "kind": "alarm"}, 422, None),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    edge: Edge, body: dict[str, object], status: int, code: str | None
) -> None:
    answer = await edge.http.post(PATH, json=body)
    assert answer.status_code == status
    if code:
        assert answer.json()["error"] == code
    assert edge.kept.kept == {}


async def test_a_robot_with_too_many_takes_no_more(edge: Edge) -> None:
    for _ in range(MOST):
        assert (await edge.http.post(PATH, json={"in_s": 60})).status_code == 201
    answer = await edge.http.post(PATH, json={"in_s": 60})
    assert (answer.status_code, answer.json()["error"]) == (400, "too_many_reminders")


async def test_a_disk_that_is_full_is_told(edge: Edge) -> None:
    edge.kept.full = True
    answer = await edge.http.post(PATH, json={"in_s": 60})
    assert (answer.status_code, answer.json()["error"]) == (503, "store_failed")
    assert (await edge.http.get(PATH)).json()["reminders"] == []


async def test_a_name_that_is_no_robots_is_refused(edge: Edge) -> None:
    answer = await edge.http.get("/robots/a%20b/reminders")
    assert answer.status_code == 400


async def test_a_robot_sees_its_own_and_an_observer_none(edge: Edge) -> None:
    mine = tokens.create(edge.db, "r1")
    watching = tokens.create(edge.db, scope=Scope.OBSERVER)
    for token, path, status in (
        (mine, PATH, 200),
        (mine, "/robots/r2/reminders", 403),
        (watching, PATH, 403),
    ):
        answer = await edge.http.get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status
