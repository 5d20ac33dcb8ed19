"""Which situations are one, which plans may be given twice, and for how long."""

import math
from typing import Any

import pytest

from agents.planner.plan_cache import MAX_PLANS, TTL_S, PlanCache, may_be_repeated, situation
from protocols.messages.job import PlanDone
from tests.agents.planner.turns import world

PLAN = PlanDone(actions=({"action": "say", "text": "hello"},))
EMOTE = {"action": "emote", "name": "happy", "intensity": 0.5}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"robot_id": "another", "seq": 99, "monotonic_ts_ms": 10_000},
        {"battery_mv": 7000, "power": {"soc_pct": 5}},
        {"range_mm": 2100},
        {"mode": " wander "},
        {"speed_l_mm_s": 30, "w_capped": -10.0},
        {"recent_events": ["power.low_soc_raised"]},
    ],
)
def test_worlds_that_differ_in_nothing_that_matters_are_one_situation(
    fields: dict[str, Any],
) -> None:
    assert situation(world(**fields), 5) == situation(world(), 5)


@pytest.mark.parametrize(
    "fields",
    [
        {"trigger": "ball_seen"},
        {"mode": "IDLE"},
        {"faults": ["motor"]},
        {"recent_events": ["face.button.click"]},
        {"planner_active_skill": "investigate_ball"},
        {"face_talking": True},
        {"face_listening": True},
        {"ball_detected": True},
        {"ball_confidence": 0.7},
        {"ball_bearing_deg": 30.0},
        {"range_mm": 400},
        {"range_mm": 290},
        {"range_mm": 0},
        {"vision_age_ms": 100.0},
        {"vision_age_ms": 900.0},
        {"clear_confidence": 0.9},
        {"speed_l_mm_s": 200},
        {"range_mm": 2000, "v_capped": math.nan},
    ],
)
def test_worlds_that_call_for_different_plans_are_different_situations(
    fields: dict[str, Any],
) -> None:
    assert situation(world(**fields), 5) != situation(world(), 5)


def test_a_shorter_plan_is_another_situation() -> None:
    assert situation(world(), 2) != situation(world(), 5)


@pytest.mark.parametrize(
    ("action", "repeated"),
    [
        ({"action": "say", "text": "hi"}, True),
        (EMOTE, True),
        ({"action": "gesture", "name": "nod", "params": {}}, True),
        ({"action": "gesture", "name": "look_at", "params": {"bearing": 5}}, False),
        ({"action": "gesture", "name": "back_up", "params": {}}, False),
        ({"action": "skill", "name": "avoid_obstacle"}, False),
    ],
)
def test_what_moves_the_body_is_not_repeated(action: dict[str, Any], repeated: bool) -> None:
    plan = PlanDone(actions=(EMOTE, action))
    assert may_be_repeated(plan) is repeated
    cache = PlanCache()
    cache.put("key", plan, 0.0)
    assert (cache.get("key", 1.0) is plan) is repeated


@pytest.mark.parametrize(("later_s", "kept"), [(0.0, True), (TTL_S - 0.1, True), (TTL_S, False)])
def test_a_plan_is_given_again_until_it_is_too_old(later_s: float, kept: bool) -> None:
    cache = PlanCache()
    cache.put("key", PLAN, 100.0)
    assert (cache.get("key", 100.0 + later_s) is PLAN) is kept
    assert cache.get("other", 100.0) is None


def test_giving_a_plan_again_does_not_make_it_younger() -> None:
    cache = PlanCache()
    cache.put("key", PLAN, 0.0)
    assert cache.get("key", TTL_S - 1.0) is PLAN
    assert cache.get("key", TTL_S + 1.0) is None


def test_the_plan_that_was_not_wanted_for_longest_goes_first() -> None:
    cache = PlanCache()
    for number in range(MAX_PLANS):
        cache.put(number, PLAN, 0.0)
    assert cache.get(0, 1.0) is PLAN
    cache.put("one more", PLAN, 1.0)
    assert cache.get(0, 1.0) is PLAN
    assert cache.get(1, 1.0) is None
    assert cache.get("one more", 1.0) is PLAN
