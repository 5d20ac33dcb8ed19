"""Whatever a model answers, a robot is given only what it may do."""

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


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ({"action": "happy"}, {"action": "emote", "name": "happy", "intensity": 0.5}),
        ({"action": "Tired"}, {"action": "emote", "name": "sleepy", "intensity": 0.5}),
        (
            {"name": "emote", "params": {"name": "sad", "intensity": 7}},
            {"action": "emote", "name": "sad", "intensity": 1.0},
        ),
        (
            {"action": "emote", "name": "sad", "intensity": math.nan},
            {"action": "emote", "name": "sad", "intensity": 0.5},
        ),
        (
            {"action": "gesture", "name": "head_shake"},
            {"action": "gesture", "name": "headshake", "params": {}},
        ),
        ({"action": "say", "text": "*nod*"}, {"action": "gesture", "name": "nod", "params": {}}),
        ({"action": "say", "text": " a \n b "}, {"action": "say", "text": "a b"}),
        ({"action": "patrol_drift"}, {"action": "skill", "name": "patrol_drift"}),
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
        {"action": 7},
        {},
        "say hello",
    ],
)
def test_what_is_not_understood_is_dropped(raw: Any) -> None:
    assert safe_actions([raw]) == []
