"""The short memory of what happened to robots."""

from hub.recent import RecentEvents
from hub.trace.entries import Closed, Entry, Fact, Opened
from protocols.messages.action import ActionRequested
from protocols.messages.agent import AgentHealth, AgentKind, AgentState
from protocols.messages.turn import Priority, TurnStarted

MS = 1_000_000


def started(n: int, robot: str = "r1") -> Entry:
    body = TurnStarted(priority=Priority.USER, user_text="a secret")
    return Fact(n=n, t_ns=n * MS, topic="turn.started", body=body, robot=robot, turn=n)


def test_the_last_events_of_a_robot_are_kept_in_order() -> None:
    recent = RecentEvents(kept=3)
    for n in range(1, 6):
        recent.take(started(n))
    assert [event.seq for event in recent.last("r1", 50)] == [3, 4, 5]
    assert [event.seq for event in recent.last("r1", 2)] == [4, 5]
    assert recent.last("r1", 0) == recent.last("r2", 9) == []


def test_no_words_are_kept_even_where_the_hub_records_them() -> None:
    recent = RecentEvents()
    recent.take(started(1))
    params = {"text": "a secret"}
    body = ActionRequested(action="say", name="say", params=params, id="1")
    recent.take(Fact(n=2, t_ns=2 * MS, topic="action.requested", body=body, robot="r1"))
    assert "secret" not in repr(recent.last("r1", 9))
    assert recent.last("r1", 9)[0].payload == {"priority": "user", "turn": 1}


def test_coming_and_going_are_events_and_what_is_no_robots_is_none() -> None:
    recent = RecentEvents()
    recent.take(Opened(n=1, t_ns=MS, robot="r1", epoch=1, connection=1, client="sim"))
    recent.take(Closed(n=2, t_ns=2 * MS, robot="r1", epoch=1, connection=1, code=1001))
    health = AgentHealth(kind=AgentKind.TTS, role="primary", state=AgentState.READY)
    recent.take(Fact(n=3, t_ns=3 * MS, topic="agent.health", body=health))
    assert [(event.type, event.payload) for event in recent.last("r1", 9)] == [
        ("robot.connected", {"client": "sim", "resumed": False}),
        ("robot.disconnected", {"code": 1001}),
    ]
    assert [event.type for event in recent.last("r1", 9, "*.disc*")] == ["robot.disconnected"]


def test_the_robot_of_which_nothing_was_heard_longest_is_forgotten_first() -> None:
    recent = RecentEvents(robots=2)
    for n, robot in enumerate(("r1", "r2", "r1", "r3"), 1):
        recent.take(started(n, robot))
    assert [bool(recent.last(robot, 1)) for robot in ("r1", "r2", "r3")] == [True, False, True]
