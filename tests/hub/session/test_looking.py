"""A turn that needs eyes: it looks first, then a planner answers, and it never waits for ever."""

import pytest

from hub.session import effects as do
from hub.session import events as on
from hub.session.state import Policy, Timer
from protocols.messages import robot
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.robot import Capabilities, Hello
from protocols.messages.session import Camera, EchoCanceller, SessionAssign, SessionRelease
from protocols.messages.turn import Outcome, Sight, TurnStart, TurnStarted, Unseen
from tests.hub.session.driver import EVERYBODY, Driver

CAMERA = Camera(hfov_deg=62.0, width=640, height=480)
SEEING = Hello(aec=EchoCanceller.DEVICE, capabilities=Capabilities(camera=CAMERA))
EYES = (AgentKind.VISION, "primary")
BALL = Sight(text="A red ball on a floor.", age_ms=120, error_ms=3)
QUESTION = "What do you see?"


def seeing(**changes: object) -> Driver:
    fields = {"hello": SEEING, "agents": (*EVERYBODY, EYES)} | changes
    return Driver(**fields)  # type: ignore[arg-type]


def asked(d: Driver, role: str = "primary") -> list[TurnStart]:
    return [start for start in d.ordered(TurnStart, role) if start.user_text]


def test_the_turn_starts_and_thinks_at_once_and_the_planner_is_asked_with_what_was_seen() -> None:
    d = seeing()
    d.says(QUESTION)
    assert d.all(do.Look) == [do.Look(1, QUESTION)]
    assert len(d.reported(TurnStarted)) == 1
    assert d.told(robot.Face)[-1].conversation is Conversation.THINKING
    assert not asked(d)
    d.wait(900)
    d.feed(on.Seen(1, BALL))
    assert [start.sight for start in asked(d)] == [BALL]
    d.answers("I see a red ball.")
    d.voices()
    d.plays(500)
    assert d.outcomes == [(1, Outcome.DONE, "")]
    assert not d.all(do.LookAway)
    end = d.told(robot.TurnEnd)[-1]
    assert next(s.ms for s in end.segments if s.name == "sight") == 900
    names = [s.name for s in end.segments]
    assert names.index("transcript") + 1 == names.index("sight") == names.index("first_token") - 1


def test_what_needs_no_eyes_is_not_looked_for() -> None:
    d = seeing()
    d.says("See you later!")
    assert not d.all(do.Look)
    assert asked(d)[0].sight is None
    d.answers("Bye.")
    d.voices()
    d.plays(100)
    assert "sight" not in [s.name for s in d.told(robot.TurnEnd)[-1].segments]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"hello": Hello(aec=EchoCanceller.DEVICE)}, Unseen.NO_CAMERA),
        ({"agents": EVERYBODY}, Unseen.NO_VISION_AGENT),
    ],
)
def test_what_cannot_be_seen_is_said_without_a_wait(
    changes: dict[str, object], missing: Unseen
) -> None:
    d = seeing(**changes)
    d.says(QUESTION)
    assert not d.all(do.Look)
    assert [start.sight for start in asked(d)] == [Sight(missing=missing)]


@pytest.mark.parametrize("missing", [Unseen.NO_FRAME, Unseen.STALE_FRAME, Unseen.VISION_FAILED])
def test_a_look_that_finds_nothing_is_answered_with_its_reason(missing: Unseen) -> None:
    d = seeing()
    d.says(QUESTION)
    d.feed(on.Seen(1, Sight(missing=missing)))
    assert [start.sight for start in asked(d)] == [Sight(missing=missing)]


def test_eyes_that_take_too_long_are_not_waited_for() -> None:
    d = seeing(policy=Policy(filler_ms=60_000))
    d.says(QUESTION)
    d.wait(Policy().look_ms - 1)
    assert not asked(d)
    d.wait(1)
    assert asked(d)[0].sight == Sight(missing=Unseen.VISION_FAILED)
    assert d.all(do.LookAway) == [do.LookAway(1)]
    d.feed(on.Seen(1, BALL))
    assert len(asked(d)) == 1
    assert do.Stale("Seen") in d.effects


def test_eyes_that_are_lost_are_not_waited_for_unless_there_are_others() -> None:
    d = seeing(agents=(*EVERYBODY, EYES, (AgentKind.VISION, "second")))
    d.says(QUESTION)
    d.feed(on.AgentDown(AgentKind.VISION, "second"))
    assert not asked(d)
    d.feed(on.AgentDown(*EYES))
    assert asked(d)[0].sight == Sight(missing=Unseen.NO_VISION_AGENT)
    assert d.all(do.LookAway) == [do.LookAway(1)]


def test_the_robot_says_that_it_thinks_while_it_looks() -> None:
    d = seeing()
    d.says(QUESTION)
    d.wait(Policy().filler_ms)
    live = d.state.turn
    assert live is not None
    assert [p.text for p in live.phrases] == [Policy().filler]


@pytest.mark.parametrize("how", ["cancel", "stop word", "goes on", "gone"])
def test_a_turn_that_ends_while_it_looks_looks_away(how: str) -> None:
    d = seeing()
    d.says(QUESTION)
    match how:
        case "cancel":
            d.user(robot.Cancel())
        case "stop word":
            d.user(robot.Text(text="stop"))
        case "goes on":
            d.user(robot.Text(text="and what time is it"))
        case "gone":
            d.feed(on.Disconnected("bye", 1000))
    assert d.all(do.LookAway) == [do.LookAway(1)]
    assert [turn for turn, _, _ in d.outcomes] == [1]
    before = len(asked(d))
    d.feed(on.Seen(1, BALL))
    assert len(asked(d)) == before, "what comes too late is answered by nobody"
    assert Timer.LOOK not in d.state.timers or d.state.turn is not None


def test_a_voice_before_the_answer_reopens_the_turn_and_the_whole_is_looked_for_again() -> None:
    d = seeing()
    d.says(QUESTION)
    d.says("on the table")
    assert d.outcomes[0][:2] == (1, Outcome.REOPENED)
    assert [look.question for look in d.all(do.Look)] == [QUESTION, f"{QUESTION} on the table"]
    assert d.all(do.LookAway) == [do.LookAway(1)]


def test_the_reflex_planner_is_told_the_same_when_the_chosen_one_fails() -> None:
    d = seeing()
    d.says(QUESTION)
    d.feed(on.Seen(1, BALL))
    d.wait(Policy().planner_deadline_ms)
    assert asked(d, "reflex")[0].sight == BALL


def test_without_any_planner_the_robot_apologises_after_it_looked() -> None:
    none = tuple(key for key in EVERYBODY if key[0] is not AgentKind.PLANNER)
    d = seeing(agents=(*none, EYES))
    d.says(QUESTION)
    d.feed(on.Seen(1, BALL))
    live = d.state.turn
    assert live is not None
    assert live.text == Policy().apology


def test_a_planner_that_dies_while_the_robot_looks_is_replaced_by_the_reflex_planner() -> None:
    d = seeing()
    d.says(QUESTION)
    d.feed(on.AgentDown(AgentKind.PLANNER, "primary"))
    d.feed(on.Seen(1, BALL))
    assert asked(d, "reflex")[0].sight == BALL


def test_words_that_the_guard_keeps_back_are_not_looked_for() -> None:
    d = seeing()
    d.says("Look at this, I want to kill myself")
    assert not d.all(do.Look)
    assert not asked(d)


# who hears frames


def assigned(d: Driver, kind: AgentKind) -> list[SessionAssign]:
    return [
        o.message
        for o in d.all(do.Order)
        if o.kind is kind and isinstance(o.message, SessionAssign)
    ]


def test_vision_is_assigned_the_session_of_a_robot_with_a_camera_and_told_of_it() -> None:
    d = seeing()
    d.feed(on.Connected(2, "sess-2", SEEING))
    assert [m.camera for m in assigned(d, AgentKind.VISION)] == [CAMERA]
    assert [m.camera for m in assigned(d, AgentKind.EARS)] == [None]
    d.feed(on.Disconnected("gone", 1000))
    released = [o.kind for o in d.all(do.Order) if isinstance(o.message, SessionRelease)]
    assert AgentKind.VISION in released


def test_vision_hears_nothing_of_a_robot_without_a_camera() -> None:
    d = seeing()
    d.feed(on.Connected(2, "sess-2", Hello()))
    assert not assigned(d, AgentKind.VISION)


@pytest.mark.parametrize("role", ["primary", "second"])
def test_vision_that_comes_later_is_assigned_then(role: str) -> None:
    d = seeing(agents=EVERYBODY)
    d.feed(on.AgentUp(AgentKind.VISION, role))
    assert [m.camera for m in assigned(d, AgentKind.VISION)] == [CAMERA]


def test_a_robot_that_is_away_is_no_longer_seen_and_again_when_it_is_back() -> None:
    d = seeing()
    d.feed(on.Connected(2, "sess-2", SEEING, resumable=True))
    d.effects.clear()
    d.feed(on.Disconnected("lost", 1006))
    released = [o.kind for o in d.all(do.Order) if isinstance(o.message, SessionRelease)]
    assert released == [AgentKind.EARS, AgentKind.VISION]
    d.feed(on.Connected(3, "sess-2", SEEING, resumable=True, resumed=True))
    assert [m.camera for m in assigned(d, AgentKind.VISION)] == [CAMERA]
