from datetime import UTC, datetime
from typing import Any

import pytest

from agents.planner.clean import clean
from agents.planner.reflex.intents import PHRASES
from agents.planner.reflex.replies import Reply, reply
from agents.planner.reflex.smalltalk import LINES
from agents.planner.sight import EXCUSES
from protocols.messages.turn import Exchange, Sight, Unseen
from protocols.vocabulary import EMOTIONS, GESTURES
from tests.agents.planner.turns import said, turn

NOON = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)


def answer(text: str, *history: Exchange, now: datetime = NOON, **fields: Any) -> Reply:
    return reply(turn(text, *history, **fields), now)


@pytest.mark.parametrize("intent", PHRASES)
def test_every_intent_has_an_answer_that_can_be_shown_and_spoken(intent: str) -> None:
    spoken = PHRASES[intent][0].replace("+", "") + (" Anna" if intent == "name_given" else "")
    given = answer(spoken)
    assert given.intent == intent
    assert given.emotion in EMOTIONS
    assert set(given.gestures) <= set(GESTURES)
    assert given.text == clean(given.text) != ""


@pytest.mark.parametrize("request_", ["tell me a story", "tell me about yourself"])
def test_a_story_is_long_enough_to_be_interrupted(request_: str) -> None:
    text = answer(request_).text
    assert 6 <= text.count(". ") + 1 <= 9
    assert len(text) > 400


def test_a_second_story_is_another_one() -> None:
    first = answer("tell me a story")
    second = answer("tell me a story", said("tell me a story", first.text))
    assert first.text != second.text


def test_a_robot_with_a_name_says_it() -> None:
    assert answer("who are you", name="Milo").text.startswith("My name is Milo.")
    assert answer("what is your name", name="Milo").text.startswith("My name is Milo.")
    assert "name is" not in answer("who are you").text


def test_a_name_is_remembered_from_the_conversation() -> None:
    told = said("my name is Anna", "Nice to meet you, Anna!")
    assert "Anna" in answer("what is my name", told, said("hello", "Hi!", 2)).text
    assert "not told" in answer("what is my name", said("hello", "Hi!")).text


def test_a_given_name_is_tagged_for_the_memory() -> None:
    assert answer("my name is Anna").memory_tags == ({"tag": "Anna", "category": "name"},)


def test_only_what_was_heard_is_repeated() -> None:
    assert answer("what did you say", said("hi", "Hello there")).text == "I said: Hello there"
    assert answer("what did you say").text == "I have not said anything yet."


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2024, 5, 6, 0, 0, tzinfo=UTC), "twelve o'clock in the morning"),
        (datetime(2024, 5, 6, 15, 7, tzinfo=UTC), "three oh 7 in the afternoon"),
        (datetime(2024, 5, 6, 21, 45, tzinfo=UTC), "nine 45 in the evening"),
    ],
)
def test_the_time_is_that_of_the_clock(now: datetime, text: str) -> None:
    assert text in answer("what time is it", now=now).text


def test_the_date_is_that_of_the_clock() -> None:
    assert "Monday, May 6" in answer("what day is it").text


def test_it_does_not_pretend_to_know_the_weather() -> None:
    assert "cannot tell" in answer("what is the weather like").text


@pytest.mark.parametrize(
    ("world", "text"),
    [
        ({}, "does not tell"),
        ({"power": {"soc_pct": 80}}, "80 percent"),
        ({"power": {"soc_pct": 10, "charging": True}}, "charging"),
        ({"power": {"soc_pct": -1}}, "does not tell"),
        ({"power": "full"}, "does not tell"),
    ],
)
def test_battery_questions_are_answered_from_the_world(world: dict[str, Any], text: str) -> None:
    assert text in answer("how is your battery", world=world).text


def test_it_tells_what_it_sees() -> None:
    seen = answer("what do you see", world={"ball_detected": True, "range_mm": 520})
    assert seen.text == "I see a ball and something is 52 centimetres in front of me."
    assert "nothing about the world" in answer("what do you see").text


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("find the ball", "scan_for_target"),
        ("come here", "approach_until_range"),
        ("turn around", "spin"),
        ("go back", "back_up"),
        ("explore the room", "patrol_drift"),
        ("look left", "look_at"),
    ],
)
def test_commands_move_the_body_and_are_confirmed(command: str, action: str) -> None:
    given = answer(command)
    assert [one["name"] for one in given.actions] == [action]
    assert given.text


def test_a_ball_in_sight_is_gone_to() -> None:
    given = answer("find the ball", world={"ball_detected": True})
    assert given.actions[0]["name"] == "investigate_ball"


@pytest.mark.parametrize("mode", ["BOOT", "ERROR", "teleop"])
def test_nothing_moves_in_a_mode_that_forbids_it(mode: str) -> None:
    given = answer("come here", world={"mode": mode})
    assert given.actions == ()
    assert "not allowed" in given.text


def test_a_body_that_cannot_is_not_asked_to() -> None:
    given = answer("come here", skills=())
    assert given.actions == ()
    assert "cannot" in given.text


def test_the_same_turn_gets_the_same_answer() -> None:
    assert answer("tell me a joke") == answer("tell me a joke")


def test_lines_use_known_emotions_and_gestures_only() -> None:
    for line in LINES.values():
        assert line.emotion in EMOTIONS
        assert set(line.gestures) <= set(GESTURES)


def test_it_says_what_its_camera_shows() -> None:
    given = answer("do you see the ball", sight=Sight(text="A red ball on a floor", age_ms=200))
    assert given.text == "This is what I see: A red ball on a floor."
    assert not given.actions


@pytest.mark.parametrize("missing", Unseen)
@pytest.mark.parametrize("asked", ["what do you see", "what is this", "is this red"])
def test_it_says_why_it_sees_nothing(missing: Unseen, asked: str) -> None:
    assert answer(asked, sight=Sight(missing=missing)).text == EXCUSES[missing]


def test_without_eyes_it_still_tells_what_its_body_knows() -> None:
    given = answer("what do you see", sight=Sight(missing=Unseen.NO_FRAME), world={"range_mm": 520})
    assert given.text == (
        f"{EXCUSES[Unseen.NO_FRAME]} But my body tells me: something is 52 centimetres in front"
        " of me."
    )


def test_without_eyes_it_still_looks_for_the_ball() -> None:
    given = answer("where is the ball", sight=Sight(missing=Unseen.NO_CAMERA))
    assert given.intent == "find_ball"
    assert given.actions
