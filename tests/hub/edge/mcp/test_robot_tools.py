"""The tools of robots: whose they are, and what they tell."""

import base64
import json
from typing import Any

import pytest

from hub.errors import JobError
from hub.jobs.orders import JobFact
from hub.session.eyes import Picture
from hub.store import tokens
from hub.store.tokens import Scope
from hub.trace.entries import Fact
from protocols.messages.agent import AgentKind
from protocols.messages.memory import MemoryState, Remembered
from protocols.messages.turn import Outcome, Priority, TurnEnded, TurnStarted
from protocols.messages.vision import Ball, CameraFrame, DetectDone
from tests.fakes.views import a_view
from tests.hub.edge.mcp.conftest import Tools

MS = 1_000_000
JPEG = b"\xff\xd8 a picture \xff\xd9"


class Rig:
    """A client that calls one tool after the other."""

    def __init__(self, tools: Tools, token: str = "") -> None:
        self.tools = tools
        self.token = token

    async def call(self, tool: str, /, **arguments: Any) -> Any:
        async with self.tools.client(self.token) as client:
            return await client.call_tool(tool, arguments)


@pytest.fixture
async def rig(tools: Tools) -> Rig:
    tools.views.put(a_view("r1", world={"mode": "WANDER"}))
    session_of(tools, "r1")
    return Rig(tools)


def session_of(tools: Tools, robot: str) -> None:
    """Let the fake sessions know a robot."""

    class Here:
        detached = None

    here: Any = Here()
    here.robot = robot
    tools.sessions.attached.append(here)


async def test_the_only_robot_is_meant_where_none_is_named(rig: Rig) -> None:
    result = await rig.call("say", text="Lunch is ready.", emotion="happy")
    assert json.loads(result.content[0].text) == {"robot_id": "r1", "outcome": "done"}
    assert rig.tools.sessions.said == [("r1", "Lunch is ready.", "happy", "plan")]
    rig.tools.views.put(a_view("r2"))
    result = await rig.call("say", text="Hello.")
    assert result.is_error
    assert "2 robots are connected" in result.content[0].text


async def test_what_may_wait_is_said_when_the_robot_is_free(rig: Rig) -> None:
    await rig.call("say", text="Lunch is ready.", when="free", ttl_s=5)
    assert rig.tools.sessions.waits == [5_000]
    assert (await rig.call("say", text="Lunch.", when="later")).is_error


async def test_a_reminder_is_set_listed_and_forgotten(rig: Rig) -> None:
    made = (await rig.call("set_reminder", text="feed the cat", in_s=60)).structured_content
    assert (made["robot_id"], made["due"]) == ("r1", "2027-01-15T08:01:00+00:00")
    at = (await rig.call("set_reminder", at="2027-01-15T09:00:00")).structured_content
    assert at["due"] == "2027-01-15T09:00:00+00:00"
    listed = (await rig.call("get_reminders")).structured_content
    assert [each["id"] for each in listed["reminders"]] == [made["id"], at["id"]]
    assert not (await rig.call("cancel_reminder", id=made["id"])).is_error
    assert list(rig.tools.kept.kept) == [at["id"]]


async def test_a_reminder_that_cannot_be_meant_is_refused(rig: Rig) -> None:
    for arguments in (
        {}, {"in_s": 0}, {"in_s": 5, "at": "2027-01-15T09:00:00"},
        {"kind": "timer", "at": "2027-01-15T09:00:00"}, {"at": "2020-01-01T00:00:00"},
        {"in_s": 5, "text": "a\0b"}, {"in_s": 5, "text": "a\nb"}, {"in_s": 5, "text": "a\x7fb"},
    ):  # fmt: skip
        assert (await rig.call("set_reminder", **arguments)).is_error
    assert (await rig.call("cancel_reminder", id="nothing")).is_error
    assert rig.tools.kept.kept == {}


async def test_a_robots_token_is_for_that_robot_alone(rig: Rig) -> None:
    rig.tools.views.put(a_view("r2"))
    session_of(rig.tools, "r2")
    rig.token = tokens.create(rig.tools.db, "r2", scope=Scope.ROBOT)
    assert not (await rig.call("say", text="Hello.")).is_error
    assert [said[0] for said in rig.tools.sessions.said] == ["r2"]
    for name, arguments in (
        ("say", {"text": "x"}), ("emote", {"emotion": "sad"}), ("gesture", {"name": "nod"}),
        ("get_state", {}), ("look", {}), ("recent_events", {}), ("get_memory", {}),
        ("get_reminders", {}), ("set_reminder", {"in_s": 5}), ("cancel_reminder", {"id": "x"}),
    ):  # fmt: skip
        result = await rig.call(name, robot_id="r1", **arguments)
        assert result.is_error
        assert "not_authorised" in result.content[0].text
    assert len(rig.tools.sessions.said) == 1


async def test_an_emotion_and_a_gesture_are_shown_without_a_word(rig: Rig) -> None:
    assert not (await rig.call("emote", emotion="Tired", intensity=0.9)).is_error
    assert not (await rig.call("gesture", name="head_shake")).is_error
    assert [said[1:3] for said in rig.tools.sessions.said] == [("", "sleepy"), ("", "neutral")]
    assert rig.tools.sessions.gestured == [(), ("headshake",)]


async def test_a_robot_is_asked_for_nothing_that_it_cannot_do(rig: Rig) -> None:
    for name, arguments in (
        ("gesture", {"name": "fly"}), ("emote", {"emotion": "blue"}),
        ("say", {"text": "x", "emotion": "blue"}), ("say", {"text": "  "}),
        ("say", {"text": "x", "priority": "shout"}), ("say", {"text": "x" * 5_001}),
    ):  # fmt: skip
        assert (await rig.call(name, **arguments)).is_error, name
    assert rig.tools.sessions.said == []


async def test_what_was_not_said_is_an_error_with_its_reason(rig: Rig) -> None:
    rig.tools.sessions.outcome = "busy_with_user"
    result = await rig.call("say", text="Lunch is ready.")
    assert result.is_error
    assert "busy_with_user" in result.content[0].text


async def test_a_robot_that_is_away_or_unknown_is_named(rig: Rig) -> None:
    rig.tools.views.put(a_view("r1", connected=False))
    for robot in ("r1", "r7"):
        result = await rig.call("say", text="Hello.", robot_id=robot)
        assert result.is_error
        assert "unknown_robot" in result.content[0].text
    result = await rig.call("say", text="Hello.", robot_id="../x")
    assert result.is_error


async def test_the_state_is_what_the_robot_told(rig: Rig) -> None:
    state = (await rig.call("get_state", turn_id="t1")).structured_content
    assert state["world"] == {"mode": "WANDER"}
    assert (state["robot_id"], state["conversation"], state["camera"]) == ("r1", "listening", True)


def fact(n: int, body: Any, topic: str, robot: str = "r1") -> Fact:
    return Fact(n=n, t_ns=n * MS, topic=topic, body=body, robot=robot, turn=3)


async def test_recent_events_are_told_in_order_and_without_words(rig: Rig) -> None:
    started = TurnStarted(priority=Priority.USER, user_text="a secret")
    ended = TurnEnded(outcome=Outcome.DONE, user_text="a secret", heard_text="my answer")
    rig.tools.recent.take(fact(1, started, "turn.started"))
    rig.tools.recent.take(fact(2, ended, "turn.ended"))
    rig.tools.recent.take(fact(3, started, "turn.started", robot="r2"))
    events = (await rig.call("recent_events")).structured_content
    assert [event["type"] for event in events["events"]] == ["turn.started", "turn.ended"]
    assert [(event["seq"], event["t_mono_ms"]) for event in events["events"]] == [(1, 1), (2, 2)]
    assert "secret" not in json.dumps(events)
    assert "answer" not in json.dumps(events)
    some = (await rig.call("recent_events", pattern="*.ended", n=1)).structured_content
    assert [event["payload"]["outcome"] for event in some["events"]] == ["done"]


async def test_a_watcher_reads_events_and_nothing_that_is_the_robots_own(rig: Rig) -> None:
    rig.token = tokens.create(rig.tools.db, scope=Scope.OBSERVER)
    assert not (await rig.call("recent_events", robot_id="r1")).is_error
    for name in ("get_state", "look", "get_memory"):
        assert (await rig.call(name, robot_id="r1")).is_error


async def test_memories_are_told_by_category(rig: Rig) -> None:
    entries = (
        Remembered(tag="Mia", category="name", strength=0.9, reinforcements=4),
        Remembered(tag="dinosaurs", category="topic", strength=0.5),
    )
    rig.tools.jobs.facts = [JobFact(MemoryState(consent=True, entries=entries))]
    told = (await rig.call("get_memory", category="name")).structured_content
    assert told["entry_count"] == 2
    (only,) = told["entries"]
    assert (only["tag"], only["strength"], only["reinforcement_count"]) == ("Mia", 0.9, 4)
    (order,) = rig.tools.jobs.wanted
    assert (order.agent, order.caller.robot) == (AgentKind.MEMORY, "r1")


def seen(tools: Tools, age_ms: int, error_ms: float = 0.0) -> None:
    frame = CameraFrame(width=320, height=240, error_ms=error_ms)
    picture = Picture(frame, JPEG, tools.now_ns - age_ms * MS)
    tools.views.put(a_view("r1", picture=picture, pictures=9))


async def test_a_look_shows_the_picture_and_the_ball_in_it(rig: Rig) -> None:
    rig.tools.consent.add("r1")
    seen(rig.tools, age_ms=120)
    ball = Ball(colour="red", x=1, y=2, radius=3, bearing_deg=-12.345, confidence=0.91)
    rig.tools.jobs.facts = [JobFact(DetectDone(width=320, height=240, balls=(ball,)))]
    picture, text = (await rig.call("look", hint="the ball")).content
    assert (base64.b64decode(picture.data), picture.mime_type) == (JPEG, "image/jpeg")
    assert json.loads(text.text) == {
        "ball_detected": True, "ball_confidence": 0.91, "ball_bearing_deg": -12.35,
        "vision_age_ms": 120, "vision_frame_seq": 9, "consent": "on", "hint": "the ball",
    }  # fmt: skip


async def test_a_look_without_anybody_who_detects_is_still_a_look(rig: Rig) -> None:
    rig.tools.consent.add("r1")
    seen(rig.tools, age_ms=120)
    rig.tools.jobs.facts = [JobError("nobody is there", "agent_missing")]
    picture, text = (await rig.call("look")).content
    assert base64.b64decode(picture.data) == JPEG
    assert json.loads(text.text)["ball_detected"] is None


@pytest.mark.parametrize(
    ("consent", "age_ms", "error_ms", "reason"),
    [
        (False, 10, 0.0, "consent_off"),
        (True, None, 0.0, "no_frame"),
        (True, 2_001, 0.0, "stale"),
        (True, 1_990, 20.0, "stale"),
    ],
)
async def test_a_look_that_may_not_or_cannot_be_says_why_and_shows_nothing(
    rig: Rig, consent: bool, age_ms: int | None, error_ms: float, reason: str
) -> None:
    if consent:
        rig.tools.consent.add("r1")
    if age_ms is not None:
        seen(rig.tools, age_ms, error_ms)
    result = await rig.call("look")
    (text,) = result.content
    told = json.loads(text.text)
    assert (told["reason"], told["ball_detected"]) == (reason, False)
    assert told["consent"] == ("on" if consent else "off")
    assert rig.tools.jobs.wanted == []
