import itertools
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planner.answer import MAX_ANSWER_CHARS, AnswerReader, read_plan
from agents.runtime.errors import AgentError
from protocols.envelope import Message
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta
from tests.agents.planner.turns import turn

ANSWER = {
    "emotion": "happy",
    "intensity": 0.75,
    "mood_reason": "the user is back",
    "gestures": ["nod", "head_shake", "explode"],
    "memory_tags": [{"tag": "Anna", "category": "name"}, {"tag": "x", "category": "password"}],
    "actions": [{"action": "skill", "name": "patrol_drift"}, {"action": "say", "text": "hi"}],
    "text": 'Hello "Anna",\nnice 😀 to see you.',
}


def read(*pieces: str, **fields: Any) -> list[Message]:
    reader = AnswerReader(turn(**fields))
    messages: list[Message] = []
    for piece in pieces:
        messages += reader.feed(piece)
        if reader.over:
            break
    return messages + reader.finish()


def spoken(messages: list[Message]) -> str:
    return "".join(m.text for m in messages if isinstance(m, ResponseDelta)).strip()


def mood(messages: list[Message]) -> ResponseMeta:
    first = messages[0]
    assert isinstance(first, ResponseMeta)
    return first


def end(messages: list[Message]) -> ResponseDone:
    last = messages[-1]
    assert isinstance(last, ResponseDone)
    return last


@given(st.lists(st.integers(0, 400), max_size=12), st.booleans())
def test_any_cutting_gives_one_mood_then_the_text_then_the_end(
    cuts: list[int], ascii_only: bool
) -> None:
    text = json.dumps(ANSWER, ensure_ascii=ascii_only)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    messages = read(*(text[a:b] for a, b in itertools.pairwise(places)))
    assert [type(m) for m in messages].count(ResponseMeta) == 1
    assert mood(messages) == ResponseMeta(
        emotion="happy",
        intensity=0.75,
        mood_reason="the user is back",
        gestures=("nod", "headshake"),
        memory_tags=({"tag": "Anna", "category": "name"},),
    )
    assert spoken(messages) == 'Hello "Anna", nice 😀 to see you.'
    assert end(messages).finish_reason == "stop"
    assert end(messages).actions == ({"action": "skill", "name": "patrol_drift"},)


def test_the_mood_waits_for_the_text_and_not_for_its_end() -> None:
    reader = AnswerReader(turn())
    assert reader.feed('{"emotion": "sad", "intensity": 0.2') == []
    assert reader.feed('5, "te') == []
    assert reader.feed('xt": "') == [ResponseMeta(emotion="sad", intensity=0.25)]
    assert reader.feed("Oh ") == [ResponseDelta(text="Oh ")]


def test_what_follows_the_text_is_too_late_for_the_mood_but_not_for_actions() -> None:
    messages = read(
        '{"text": "Hi.", "emotion": "sad", "actions": [{"action": "skill", "name": "patrol_drift"}]}'
    )
    assert mood(messages).emotion == "neutral"
    assert end(messages).actions == ({"action": "skill", "name": "patrol_drift"},)


def test_a_robot_is_never_asked_for_what_it_cannot_do() -> None:
    messages = read(json.dumps(ANSWER), gestures=("nod",), skills=(), emotions=("neutral",))
    assert mood(messages).gestures == ("nod",)
    assert mood(messages).emotion == "neutral"
    assert end(messages).actions == ()


@pytest.mark.parametrize(
    ("emotion", "intensity", "read_as"),
    [
        ("tired", 0.5, ("sleepy", 0.5)),
        ("HAPPY ", 7, ("happy", 1.0)),
        ("furious", -1, ("neutral", 0.0)),
        (None, "much", ("neutral", 0.5)),
        (["sad"], True, ("neutral", 0.5)),
        pytest.param("sad", 10**400, ("sad", 1.0), id="huge"),
    ],
)
def test_moods_outside_the_vocabulary_are_tamed(
    emotion: Any, intensity: Any, read_as: tuple[str, float]
) -> None:
    messages = read(json.dumps({"emotion": emotion, "intensity": intensity, "text": "Hi"}))
    assert (mood(messages).emotion, mood(messages).intensity) == read_as


def test_text_without_json_is_an_answer_in_a_neutral_mood() -> None:
    messages = read("I ", "see <laugh>", " a *nods* ball.")
    assert mood(messages) == ResponseMeta()
    assert spoken(messages) == "I see a ball."
    assert end(messages).finish_reason == "stop"


@pytest.mark.parametrize(
    "written",
    [
        '```json\n{"emotion": "happy", "text": "Hi there."}\n```',
        '<think>They said {"hi"}.</think>\n\n{"emotion": "happy", "text": "Hi there."}',
        '  {"emotion": "happy", "text": "Hi there."} I hope that helps {you}!',
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_wrappings_of_an_answer_are_not_spoken(written: str, step: int) -> None:
    messages = read(*(written[i : i + step] for i in range(0, len(written), step)))
    assert spoken(messages) == "Hi there."
    assert mood(messages).emotion == "happy"


def test_a_preface_is_spoken_but_braces_are_not() -> None:
    assert spoken(read('Sure! {"emotion": "happy", "text": "Hi."}')) == "Sure! Hi."


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "   \n",
        "{}",
        "{",
        '{"emotion": "happy"',
        '{"emotion": "happy"}',
        '{"text": ""}',
        '{"text": null}',
        '{"text": 5}',
        '{"text": "<laugh>"}',
        "{'emotion': 'happy', 'text': 'hi'}",
        "```",
        "<think>forever",
        "<laugh>",
    ],
)
def test_an_answer_without_anything_to_say_or_show_is_nonsense(nonsense: str) -> None:
    with pytest.raises(AgentError) as raised:
        read(*nonsense)
    assert raised.value.code == "llm_nonsense"


def test_a_mood_without_words_is_an_answer() -> None:
    messages = read('{"emotion": "love", "text": ""}')
    assert [type(m) for m in messages] == [ResponseMeta, ResponseDone]


@pytest.mark.parametrize("rest", ["", "\\", "\\u00", '\\ud83d", "x'])
def test_an_answer_that_breaks_off_keeps_what_was_said(rest: str) -> None:
    messages = read('{"emotion": "sad", "text": "I was just', rest)
    assert spoken(messages) == "I was just"
    assert end(messages).finish_reason == "length"


def test_an_endless_answer_is_ended() -> None:
    reader = AnswerReader(turn())
    reader.feed('{"text": "')
    for _ in range(MAX_ANSWER_CHARS // 1000 + 1):
        reader.feed("word " * 200)
    assert reader.over
    assert end(reader.finish()).finish_reason == "length"


@given(st.text(max_size=60), st.integers(1, 9))
def test_no_text_breaks_the_reader(text: str, step: int) -> None:
    messages: list[Message] = []
    with suppress(AgentError):
        messages = read(*(text[i : i + step] for i in range(0, len(text), step)))
    assert [type(m) for m in messages].count(ResponseMeta) == bool(messages)


@pytest.mark.parametrize(
    ("text", "names", "ttl_ms"),
    [
        ('{"actions": [{"action": "skill", "name": "patrol_drift"}]}', ["patrol_drift"], 2000),
        ('```json\n[{"action": "happy"}]\n```', ["happy"], 2000),
        ('<think>{"actions": [7]}</think>{"actions": ["happy"]}', ["happy"], 2000),
        ('Here [as you wish]: {"actions": ["happy"]} Done!', ["happy"], 2000),
        ('{"actions": [], "ttl_ms": 99999}', [], 5000),
        ('{"actions": [{"action": "fly"}], "ttl_ms": "x"}', [], 2000),
        ('{"actions": [{"action": "emote", "name": "sad"}, {"action": "ski', ["sad"], 2000),
        ('{"actions": [{"action": "say", "text": "<laugh>"}], "ttl_ms": 500}', [], 500),
        pytest.param(
            '{"actions": [{"action": "emote", "name": "sad", "intensity": 1' + "0" * 400 + "}]}",
            ["sad"],
            2000,
            id="huge",
        ),
    ],
)
def test_a_plan_is_what_can_be_saved_of_it(text: str, names: list[str], ttl_ms: int) -> None:
    plan = read_plan(text, max_actions=5)
    assert [action["name"] for action in plan.actions] == names
    assert plan.ttl_ms == ttl_ms


@pytest.mark.parametrize(
    ("said", "actions"),
    [
        ("*nod*", [{"action": "gesture", "name": "nod", "params": {}}]),
        ("**Hello** <laugh> there", [{"action": "say", "text": "Hello there"}]),
        ("*waves*", []),
        ("", []),
    ],
)
def test_what_a_plan_says_is_without_markup(said: str, actions: list[dict[str, Any]]) -> None:
    for action in ({"action": "say", "text": said}, {"name": "say", "params": {"text": said}}):
        assert list(read_plan(json.dumps({"actions": [action]}), 5).actions) == actions


def test_a_plan_has_no_more_actions_than_were_asked_for() -> None:
    text = json.dumps({"actions": [{"action": "emote", "name": "sad"}] * 5})
    assert len(read_plan(text, max_actions=2).actions) == 2


@pytest.mark.parametrize("text", ["", "no", "{", '{"actions": 5}', '{"ttl_ms": 500}'])
def test_a_plan_without_actions_is_nonsense(text: str) -> None:
    with pytest.raises(AgentError) as raised:
        read_plan(text, max_actions=5)
    assert raised.value.code == "llm_nonsense"
