"""What robots feel and remember, and who may decide of it."""

from typing import Any

import pytest

from hub.errors import AgentMissing, Busy, JobTimeout
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.errors import HubError
from protocols.messages.affect import AffectOverride, AffectReset, AffectState, GuardrailSet, Idle
from protocols.messages.memory import MemoryState, Remembered
from tests.fakes.minds import FakeMinds
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_auth import bearer

FEELINGS, MEMORIES = "/robots/r1/feelings", "/robots/r1/memories"
CONSENT = f"{MEMORIES}/consent"
TRAINS = Remembered(tag="trains", category="topic", strength=0.5, reinforcements=2)


@pytest.fixture(autouse=True)
def minds(edge: Edge) -> FakeMinds:
    minds = edge.minds
    minds.felt["r1"] = AffectState(
        mood="happy", intensity=0.6, valence=0.4, arousal=0.2, session_time_s=12.5
    )
    minds.kept["r1"] = MemoryState(consent=True, entries=(TRAINS,))
    return minds


async def test_what_a_robot_feels_is_told(edge: Edge) -> None:
    assert (await edge.http.get(FEELINGS)).json() == {
        "robot_id": "r1",
        "mood": "happy",
        "intensity": 0.6,
        "valence": 0.4,
        "arousal": 0.2,
        "idle_state": Idle.AWAKE,
        "conversation_active": False,
        "session_time_s": 12.5,
        "daily_time_s": 0.0,
        "session_limit_reached": False,
        "daily_limit_reached": False,
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "order"),
    [
        (
            "PATCH",
            "guardrails",
            {"session_time_limit_s": 600, "context_gate": False, "reset_daily": True},
            GuardrailSet(session_time_limit_s=600, context_gate=False, reset_daily=True),
        ),
        ("PATCH", "guardrails", {"daily_time_limit_s": 0}, GuardrailSet(daily_time_limit_s=0)),
        (
            "POST",
            "override",
            {"valence": -1, "arousal": 0.5, "magnitude": 1},
            AffectOverride(valence=-1, arousal=0.5, magnitude=1),
        ),
        ("POST", "reset", None, AffectReset()),
    ],
)
async def test_orders_reach_the_robots_feelings(
    edge: Edge, minds: FakeMinds, method: str, path: str, body: Any, order: object
) -> None:
    answer = await edge.http.request(method, f"{FEELINGS}/{path}", json=body)
    assert (answer.status_code, answer.content) == (202, b"")
    assert minds.orders == [("r1", order)]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "guardrails", {"session_time_limit_s": -1}),
        ("PATCH", "guardrails", {"session_time_limit_s": 7_201}),
        ("PATCH", "guardrails", {"daily_time_limit_s": 14_401}),
        ("PATCH", "guardrails", {"session_limit_s": 600}),
        ("POST", "override", {"valence": 2, "arousal": 0, "magnitude": 1}),
        ("POST", "override", {"valence": 0, "arousal": 0}),
    ],
)
async def test_an_order_that_cannot_be_meant_is_refused(
    edge: Edge, minds: FakeMinds, method: str, path: str, body: Any
) -> None:
    assert (await edge.http.request(method, f"{FEELINGS}/{path}", json=body)).status_code == 422
    assert minds.orders == []


async def test_a_robot_that_is_not_there_or_cannot_be_has_no_feelings(edge: Edge) -> None:
    for path, status, code in (
        ("/robots/r2/feelings", 404, "unknown_robot"),
        ("/robots/no%20robot/feelings", 400, "bad_identity"),
    ):
        answer = await edge.http.get(path)
        assert (answer.status_code, answer.json()["error"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", MEMORIES, ("memories", "r1", "")),
        ("DELETE", MEMORIES, ("forget", "r1", "", ())),
        ("DELETE", f"{MEMORIES}?tag=trains&tag=tom", ("forget", "r1", "", ("trains", "tom"))),
        ("PUT", CONSENT, ("give", "r1", "")),
        ("DELETE", CONSENT, ("withdraw", "r1", "")),
    ],
)
async def test_memories_are_shown_and_decided_of(
    edge: Edge, minds: FakeMinds, method: str, path: str, asked: tuple[object, ...]
) -> None:
    answer = await edge.http.request(method, path)
    assert answer.json() == {
        "robot_id": "r1",
        "consent": True,
        "entries": [
            {
                "tag": "trains", "category": "topic", "strength": 0.5, "valence_bias": 0.0,
                "arousal_bias": 0.0, "reinforcement_count": 2,
            }
        ],
    }  # fmt: skip
    assert minds.asked == [asked]


@pytest.mark.parametrize(
    ("failure", "status"),
    [(AgentMissing("nobody"), 503), (Busy("later"), 429), (JobTimeout("too late"), 504)],
)
async def test_a_memory_that_fails_says_so(
    edge: Edge, minds: FakeMinds, failure: HubError, status: int
) -> None:
    minds.failure = failure
    answer = await edge.http.get(MEMORIES)
    assert (answer.status_code, answer.json()["error"]) == (status, failure.code)


S = Scope
TABLE = [
    ("GET", FEELINGS, (S.ROBOT, S.CLIENT, S.ADMIN)),
    ("PATCH", f"{FEELINGS}/guardrails", (S.ADMIN,)),
    ("POST", f"{FEELINGS}/override", (S.ADMIN,)),
    ("POST", f"{FEELINGS}/reset", (S.ADMIN,)),
    ("GET", MEMORIES, (S.ROBOT, S.CLIENT, S.ADMIN)),
    ("DELETE", MEMORIES, (S.ROBOT, S.ADMIN)),
    ("PUT", CONSENT, (S.ADMIN,)),
    ("DELETE", CONSENT, (S.ROBOT, S.ADMIN)),
]


@pytest.mark.parametrize(("method", "path", "allowed"), TABLE)
async def test_what_is_given_is_an_administrators_and_what_is_taken_back_the_robots_too(
    edge: Edge, method: str, path: str, allowed: tuple[Scope, ...]
) -> None:
    for scope in Scope:
        robot = "r1" if scope is S.ROBOT else tokens.ANY_ROBOT
        headers = bearer(tokens.create(edge.db, robot, scope=scope))
        answer = await edge.http.request(method, path, headers=headers, json={})
        assert (answer.status_code != 403) is (scope in allowed), (scope, answer.text)
    stranger = bearer(tokens.create(edge.db, "r2"))
    assert (await edge.http.request(method, path, headers=stranger, json={})).status_code == 403


async def test_where_nobody_feels_or_remembers_that_is_told(edge: Edge, minds: FakeMinds) -> None:
    minds.kept.clear()
    answer = await edge.http.put(CONSENT)
    assert (answer.status_code, answer.json()["error"]) == (503, "agent_missing")
