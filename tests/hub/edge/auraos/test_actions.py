"""Actions on a desktop, found in what a model wrote."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.auraos.actions import (
    MAX_ACTIONS,
    UNSURE,
    Click,
    Key,
    Nothing,
    Scroll,
    Type,
    Wait,
    actions_in,
    actions_schema,
)
from hub.edge.schemas import SchemaCheck

WIDTH, HEIGHT = 1280, 800


def found(document: Any) -> Any:
    return actions_in(json.dumps(document), WIDTH, HEIGHT)


def test_every_kind_of_action_is_read() -> None:
    listed = [
        {"action": "click", "x": 100, "y": 200, "why": "the button"},
        {"action": "type", "text": "hello"},
        {"action": "key", "key": "Return"},
        {"action": "scroll", "amount": -300},
        {"action": "wait", "seconds": 1.5},
        {"action": "none"},
    ]
    assert found(listed).actions == (
        Click(x=100, y=200, why="the button"),
        Type(text="hello"),
        Key(key="Return"),
        Scroll(amount=-300),
        Wait(seconds=1.5),
        Nothing(),
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"action": "key", "key": "a"}',
        '[{"action": "key", "key": "a"}]',
        '{"actions": [{"action": "key", "key": "a"}]}',
        'Sure!\n```json\n[{"action": "key", "key": "a"}]\n```\nDone.',
        'First {this}, then {"action": "key", "key": "a"}',
        '[1, 2] and {"note": 1} and {"action": "key", "key": "a"}',
    ],
)
def test_json_is_found_bare_wrapped_and_among_words(text: str) -> None:
    assert actions_in(text, WIDTH, HEIGHT).actions == (Key(key="a"),)


@pytest.mark.parametrize(
    "item",
    [
        {"action": "click", "x": WIDTH, "y": 1},
        {"action": "click", "x": 1, "y": HEIGHT},
        {"action": "click", "x": -1, "y": 1},
        {"action": "click", "x": 0.5, "y": 1},
        {"action": "click", "x": "1", "y": 1},
        {"action": "click", "x": 1},
        {"action": "type", "text": "a" * 1_001},
        {"action": "key", "key": "k" * 51},
        {"action": "key", "key": ""},
        {"action": "scroll", "amount": 10_001},
        {"action": "wait", "seconds": 301},
        {"action": "wait", "seconds": -1},
        {"action": "run", "command": "rm"},
        {"action": "click", "x": 1, "y": 1, "confidence": 1.5},
        "click",
        7,
    ],
)
def test_what_is_beyond_the_limits_is_refused_and_counted(item: Any) -> None:
    told = found([item, {"action": "none"}])

    assert told.actions == (Nothing(),)
    assert told.refused == 1


def test_whole_numbers_may_be_written_as_fractions() -> None:
    assert found({"action": "click", "x": 12.0, "y": 7.0}).actions == (Click(x=12, y=7),)


def test_an_action_whose_model_is_not_sure_is_none_that_clients_act_on() -> None:
    (action,) = found({"action": "click", "x": 1, "y": 1}).actions
    assert action.confidence == UNSURE == 0.5


def test_without_a_picture_nothing_can_be_clicked() -> None:
    assert actions_in('{"action": "click", "x": 0, "y": 0}').refused == 1


def test_more_actions_than_may_be_are_cut_off_and_counted() -> None:
    told = found([{"action": "none"}] * (MAX_ACTIONS + 3))
    assert (len(told.actions), told.refused) == (MAX_ACTIONS, 3)


@given(st.text(alphabet='{}[]":, actionclk01e\\', max_size=300))
def test_no_text_of_a_model_breaks_the_reader(text: str) -> None:
    actions_in(text, WIDTH, HEIGHT)


def test_deep_brackets_do_not_break_it_either() -> None:
    assert actions_in("[" * 100_000, WIDTH, HEIGHT).actions == ()


def test_the_schema_that_models_are_held_to_admits_what_is_read_and_no_click_outside() -> None:
    check = SchemaCheck(actions_schema(WIDTH, HEIGHT))
    click = {"action": "click", "x": WIDTH - 1, "y": 0, "confidence": 0.9, "explanation": "it"}

    assert check.holds({"actions": [click]})
    assert found({"actions": [click]}).refused == 0
    assert not check.holds({"actions": [{**click, "x": WIDTH}]})
    assert not check.holds({"actions": [{**click, "action": "run"}]})
    assert not check.holds({"actions": []})
