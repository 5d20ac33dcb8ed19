"""Whatever a model answers, a robot is given only what it may do."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.plan import MAX_ACTIONS, MAX_SAY_CHARS, Plan, safe_actions
from protocols.vocabulary import EMOTIONS, GESTURES, SKILLS

_words = st.sampled_from(
    ["say", "emote", "gesture", "skill", "happy", "nod", "HEAD-SHAKE", "patrol_drift", "tired", "x"]
)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300) | _words
_anything = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["action", "name", "params", "text", "intensity", "x"]), inner
        )
    ),
    max_leaves=12,
)
_actions = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "action": _words,
            "name": _words,
            "text": st.text(max_size=300),
            "intensity": st.floats() | st.text(max_size=3),
            "params": _anything,
        },
    )
)


@given(_anything | _actions)
def test_any_answer_becomes_a_valid_plan(raw: Any) -> None:
    safe = safe_actions(raw)
    assert len(safe) <= MAX_ACTIONS
    Plan(actions=safe)  # type: ignore[arg-type]
    for action in safe:
        match action["action"]:
            case "say":
                assert 0 < len(action["text"]) <= MAX_SAY_CHARS
            case "emote":
                assert action["name"] in EMOTIONS
                assert 0.0 <= action["intensity"] <= 1.0
            case "gesture":
                assert action["name"] in GESTURES
            case "skill":
                assert action["name"] in SKILLS
            case other:
                raise AssertionError(other)


@given(_actions)
def test_what_is_safe_stays_as_it_is(raw: list[dict[str, Any]]) -> None:
    once = safe_actions(raw)
    assert safe_actions(once) == once


@given(_actions, st.frozensets(st.sampled_from(GESTURES + SKILLS + EMOTIONS)))
def test_nothing_outside_what_a_robot_declared_is_left(
    raw: list[dict[str, Any]], allowed: frozenset[str]
) -> None:
    for action in safe_actions(raw, allowed):
        assert action["action"] == "say" or action["name"] in allowed


HAPPY = {"action": "emote", "name": "happy", "intensity": 0.5}
NOD = {"action": "gesture", "name": "nod", "params": {}}
HI = {"action": "say", "text": "hi"}
DRIFT = {"action": "skill", "name": "patrol_drift"}


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        # wrappers
        (
            {"name": "emote", "params": {"name": "sad", "intensity": 7}},
            {"action": "emote", "name": "sad", "intensity": 1.0},
        ),
        ({"action": "emote", "params": {"name": "happy"}}, HAPPY),
        ({"action": "say", "params": {"text": "hi"}}, HI),
        ({"name": "say", "arguments": {"text": "hi"}}, HI),
        ({"action": "say", "text": "hi", "params": {}}, HI),
        ({"action": {"action": "emote", "name": "happy"}}, HAPPY),
        ({"name": "action", "params": {"action": "say", "text": "hi"}}, HI),
        ({"name": "skill", "params": {"name": "patrol_drift"}}, DRIFT),
        (
            {"name": "gesture", "params": {"name": "look_at", "params": {"bearing": 5}}},
            {"action": "gesture", "name": "look_at", "params": {"bearing": 5}},
        ),
        # bare tags
        ({"action": "happy"}, HAPPY),
        ({"action": "Tired"}, {"action": "emote", "name": "sleepy", "intensity": 0.5}),
        ({"action": "patrol_drift"}, DRIFT),
        ({"action": " nod "}, NOD),
        ({"name": "nod"}, NOD),
        ("happy", HAPPY),
        ("Nod", NOD),
        (
            {"name": "look_at", "params": {"bearing": 5}},
            {"action": "gesture", "name": "look_at", "params": {"bearing": 5}},
        ),
        (
            {"action": "excited", "intensity": 0.8},
            {"action": "emote", "name": "excited", "intensity": 0.8},
        ),
        # one kind under another's name
        ({"action": "say", "text": "*nod*"}, NOD),
        ({"action": "gesture", "name": "say", "params": {"text": "hi"}}, HI),
        ({"action": "emote", "name": "nod"}, NOD),
        ({"action": "gesture", "name": "happy"}, HAPPY),
        ({"action": "skill", "name": "nod"}, NOD),
        ({"action": "gesture", "name": "sleepy"}, {**NOD, "name": "sleepy"}),
        ({"action": "emote", "name": "sleepy"}, {**HAPPY, "name": "sleepy"}),
        # aliases
        ({"action": "gesture", "name": "head_shake"}, {**NOD, "name": "headshake"}),
        ({"action": "gesture", "name": "Head-Shake"}, {**NOD, "name": "headshake"}),
        ({"action": "gesture", "name": "x-eyes"}, {**NOD, "name": "x_eyes"}),
        ({"action": "gesture", "name": "xeyes"}, {**NOD, "name": "x_eyes"}),
        ({"action": "emote", "name": "puzzled"}, {**HAPPY, "name": "confused"}),
        # numbers and texts
        ({"action": "emote", "name": "happy", "intensity": math.nan}, HAPPY),
        ({"action": "emote", "name": "happy", "intensity": "very"}, HAPPY),
        ({"action": "emote", "name": "happy", "intensity": True}, HAPPY),
        (
            {"action": "emote", "name": "happy", "intensity": -3},
            {"action": "emote", "name": "happy", "intensity": 0.0},
        ),
        ({"action": "say", "text": " a \n b "}, {"action": "say", "text": "a b"}),
        ({"action": "say", "text": "x" * 300}, {"action": "say", "text": "x" * 200}),
        (
            {"action": "gesture", "name": "look_at", "params": {"bearing": 999}},
            {"action": "gesture", "name": "look_at", "params": {"bearing": 180}},
        ),
        (
            {"action": "gesture", "name": "nod", "params": {"n": math.inf, "deep": {"a": 1}}},
            NOD,
        ),
        ({"action": "gesture", "name": "nod", "params": {str(i): i for i in range(20)}}, NOD),
    ],
)
def test_what_is_meant_is_understood(raw: dict[str, Any], safe: dict[str, Any]) -> None:
    assert safe_actions([raw]) == [safe]


@pytest.mark.parametrize(
    "raw",
    [
        {"action": "drive", "name": "fast"},
        {"action": "skill", "name": "self_destruct"},
        {"action": "emote", "name": "homicidal"},
        {"action": "say", "text": "   "},
        {"action": "say", "text": {"text": "hi"}},
        {"action": "say"},
        {"name": "say", "params": {}},
        {"action": "emote"},
        {"action": "emote", "params": {}},
        {"name": "emote", "params": {}},
        {"name": "gesture", "arguments": {}},
        {"action": "gesture", "name": "say"},
        {"action": 7},
        {"action": None, "name": None, "params": None},
        {},
        "say hello",
        None,
    ],
)
def test_what_is_not_understood_is_dropped(raw: Any) -> None:
    assert safe_actions([raw]) == []


def test_wrappers_are_taken_off_a_few_times_only() -> None:
    wrapped: Any = {"action": "say", "text": "hi"}
    for _ in range(10_000):
        wrapped = {"action": wrapped}
    assert safe_actions([wrapped]) == []


def test_no_more_than_five_actions_are_left_of_those_that_are_understood() -> None:
    raw = [{"action": "drive"}, *({"action": "say", "text": str(i)} for i in range(9))]
    assert [a["text"] for a in safe_actions(raw)] == ["0", "1", "2", "3", "4"]


@given(_actions)
def test_a_plan_can_be_sent_as_json(raw: list[dict[str, Any]]) -> None:
    json.dumps(safe_actions(raw), allow_nan=False)
