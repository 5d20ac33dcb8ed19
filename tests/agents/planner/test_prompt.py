import json

import pytest

from agents.engines.language.base import ChatMessage
from agents.planner.prompt import (
    MAX_PAST_CHARS,
    MAX_USER_CHARS,
    RULES,
    VERBATIM_TURNS,
    answer_schema,
    conversation_messages,
    plan_messages,
)
from agents.planner.sight import EXCUSES
from protocols.messages.turn import Exchange, Sight, Unseen
from tests.agents.planner.turns import said, turn, world


def conversation(turns: int) -> tuple[Exchange, ...]:
    return tuple(said(f"question {i}", f"answer {i}", i) for i in range(turns))


def test_the_prompt_begins_alike_whatever_is_said() -> None:
    one = conversation_messages(turn("hello", profile={"mood": "good"}))
    other = conversation_messages(turn("goodbye", world={"mode": "IDLE"}))
    assert one[0] == other[0] == ChatMessage("system", RULES)


def test_the_robot_is_who_its_profile_says_it_is() -> None:
    told = conversation_messages(turn("hello", name="Milo", persona="You love the sea."))[0].text
    assert told.startswith(RULES)
    assert "Your name is Milo.\n" in told
    assert told.endswith("Who you are, within these rules: You love the sea.\n")


def test_the_prompt_keeps_its_beginning_while_the_conversation_grows() -> None:
    kept = 0
    for turns in range(VERBATIM_TURNS, 4 * VERBATIM_TURNS):
        before = conversation_messages(turn("x", *conversation(turns)))
        after = conversation_messages(turn("x", *conversation(turns + 1)))
        kept += after[: len(before) - 1] == before[:-1]
    assert kept >= 3 * VERBATIM_TURNS - 3


def test_old_turns_are_told_in_a_few_words() -> None:
    messages = conversation_messages(turn("x", *conversation(30)))
    assert "(turn 3: question 3, neutral)" in messages[0].text
    assert VERBATIM_TURNS <= (len(messages) - 2) / 2 < 2 * VERBATIM_TURNS


def test_history_is_told_as_it_was_heard() -> None:
    past = said("tell me a story", "Once upon a", emotion="curious", interrupted=True)
    _, user, assistant, _ = conversation_messages(turn("stop", past))
    assert user.text == "tell me a story"
    heard = json.loads(assistant.text)
    assert heard == {"emotion": "curious", "interrupted": True, "text": "Once upon a"}


def test_the_state_stands_with_the_users_words() -> None:
    last = conversation_messages(turn("hi", profile={"mood": "calm"}))[-1]
    assert last.role == "user"
    assert '"profile": {"mood": "calm"}' in last.text
    assert last.text.endswith("THE USER SAYS\nhi")


def test_a_prompt_is_bounded_whatever_was_said() -> None:
    long = said("u" * 10_000, "r" * 10_000)
    messages = conversation_messages(turn("x" * 10_000, *[long] * 40, world={"w": "w" * 10_000}))
    size = sum(len(message.text) for message in messages)
    assert size < 4 * VERBATIM_TURNS * (MAX_PAST_CHARS + 100) + MAX_USER_CHARS + 10_000


def test_the_schema_ends_with_the_text_and_names_what_the_robot_can() -> None:
    schema = answer_schema(turn(gestures=("nod",)))
    assert list(schema["properties"])[-1] == "text"
    assert schema["properties"]["gestures"]["items"]["enum"] == ["nod"]
    assert schema["required"] == list(schema["properties"])


def test_a_plan_prompt_tells_nothing_of_power() -> None:
    text = plan_messages(world(battery_mv=7123, power={"soc_pct": 5}), 5)[-1].text
    assert "7123" not in text
    assert "soc_pct" not in text


def test_a_plan_prompt_holds_the_latest_events_only() -> None:
    text = plan_messages(world(recent_events=[f"event{i}" for i in range(9)]), 5)[-1].text
    assert "event3" not in text
    assert "event8" in text


def test_what_the_camera_shows_stands_before_the_users_words_with_its_age() -> None:
    seen = Sight(text="A red ball\n\non a floor", age_ms=430, error_ms=5)
    last = conversation_messages(turn("what do you see", sight=seen))[-1].text
    assert "0.4 SECONDS BEFORE THE USER ASKED\nA red ball on a floor.\n" in last
    assert last.endswith("\n\nTHE USER SAYS\nwhat do you see")


def test_an_age_that_is_only_known_from_the_arrival_is_told_as_at_least_that() -> None:
    seen = Sight(text="A cat.", age_ms=1_000, by_arrival=True)
    assert "SHOWED at least 1.0 SECONDS" in conversation_messages(turn("x", sight=seen))[-1].text


@pytest.mark.parametrize("missing", Unseen)
def test_a_model_is_told_why_there_is_nothing_to_be_seen_and_not_to_invent(
    missing: Unseen,
) -> None:
    last = conversation_messages(turn("what is this", sight=Sight(missing=missing)))[-1].text
    assert "You see nothing." in last
    assert "do not invent" in last
    assert EXCUSES[missing] in last


def test_a_turn_without_eyes_says_nothing_of_a_camera() -> None:
    assert "CAMERA" not in conversation_messages(turn("hello"))[-1].text


def test_a_scene_is_bounded_too() -> None:
    seen = Sight(text="s" * 10_000)
    assert len(conversation_messages(turn("x", sight=seen))[-1].text) < 2_000
