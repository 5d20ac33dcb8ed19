from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planner.reflex.rules import decide
from protocols.plan import safe_actions
from tests.agents.planner.turns import world


def planned(**fields: Any) -> list[str]:
    """Names of the actions planned for a world."""
    return [a.get("name", a["action"]) for a in decide(world(**fields), 5)["actions"]]


BALL = {"ball_detected": True, "ball_confidence": 0.9, "vision_age_ms": 40.0}


@pytest.mark.parametrize("trigger", ["heartbeat", "periodic"])
def test_a_heartbeat_without_news_changes_nothing(trigger: str) -> None:
    assert decide(world(trigger=trigger, **BALL), 5) == {"actions": [], "ttl_ms": 500}


def test_a_new_ball_excites_and_is_gone_to() -> None:
    assert planned(trigger="ball_seen", **BALL) == ["excited", "look_at", "investigate_ball"]
    assert planned(recent_events=["vision.ball_acquired"], **BALL)[-1] == "investigate_ball"


def test_a_ball_that_is_doubtful_or_old_is_not_gone_to() -> None:
    assert planned(trigger="ball_seen", **BALL | {"ball_confidence": 0.4}) == []
    assert planned(trigger="ball_seen", **BALL | {"vision_age_ms": 900.0}) == []
    assert planned(recent_events=["vision.ball_acquired", "vision.ball_lost"], **BALL) == []


def test_a_lost_ball_is_looked_for() -> None:
    assert planned(recent_events=["vision.ball_lost"]) == ["curious", "scan_for_target"]


@pytest.mark.parametrize(
    ("range_mm", "skill"),
    [(449, "avoid_obstacle"), (250, "avoid_obstacle"), (249, "retreat_and_recover")],
)
def test_what_is_near_is_avoided_even_on_a_heartbeat(range_mm: int, skill: str) -> None:
    assert planned(range_mm=range_mm)[-1] == skill
    assert planned(range_mm=range_mm, planner_active_skill=skill) == []


@pytest.mark.parametrize("range_mm", [0, -1, 450, 2000])
def test_no_reading_and_a_far_one_are_no_obstacle(range_mm: int) -> None:
    assert planned(range_mm=range_mm) == []


def test_an_obstacle_goes_before_a_ball() -> None:
    assert planned(trigger="ball_seen", range_mm=300, **BALL)[-1] == "avoid_obstacle"


def test_a_fault_confuses_and_moves_nothing() -> None:
    assert planned(trigger="fault.raised", faults=["motor"], range_mm=100, **BALL) == ["confused"]
    assert planned(recent_events=["fault.raised", "fault.cleared"]) == []


def test_a_button_is_greeted() -> None:
    assert planned(recent_events=["face.button.click"]) == ["happy", "greet_on_button", "say"]
    assert planned(recent_events=["face.button.release"]) == []


def test_nothing_is_said_into_a_conversation() -> None:
    assert "say" not in planned(recent_events=["face.button.click"], face_listening=True)
    assert "say" not in planned(recent_events=["face.button.click"], face_talking=True)


def test_only_the_latest_events_count() -> None:
    assert planned(recent_events=["face.button.click", *["vision.healthy"] * 5]) == []


@pytest.mark.parametrize("mode", ["BOOT", "ERROR", "TELEOP", "teleop"])
def test_modes_that_belong_to_others_get_no_motion(mode: str) -> None:
    assert planned(mode=mode, trigger="ball_seen", **BALL) == ["excited"]
    assert planned(mode=mode, range_mm=100) == []


EVENTS = st.sampled_from(
    [
        "vision.ball_acquired", "vision.ball_lost", "safety.obstacle_close", "fault.raised",
        "safety.obstacle_cleared", "fault.cleared", "face.button.press", "face.touch.press",
        "power.low_soc_raised", "mode.changed",
    ]
)  # fmt: skip


@given(
    st.lists(EVENTS, max_size=7),
    st.sampled_from(["BOOT", "IDLE", "TELEOP", "WANDER", "ERROR"]),
    st.sampled_from(["heartbeat", "periodic", "ball_seen", "power.low_soc_raised"]),
    st.integers(-1, 3000),
    st.booleans(),
    st.integers(0, 5),
)
def test_every_plan_is_safe_and_silent_about_power(
    events: list[str], mode: str, trigger: str, range_mm: int, ball: bool, most: int
) -> None:
    state = world(
        recent_events=events, mode=mode, trigger=trigger, range_mm=range_mm,
        ball_detected=ball, ball_confidence=1.0, battery_mv=3000, power={"soc_pct": 1},
    )  # fmt: skip
    plan = decide(state, most)
    assert plan == decide(state, most)
    assert len(plan["actions"]) <= most
    assert safe_actions(plan["actions"]) == plan["actions"]
    assert "batter" not in str(plan).lower()
    if mode in ("BOOT", "TELEOP", "ERROR"):
        assert all(action["action"] != "skill" for action in plan["actions"])
