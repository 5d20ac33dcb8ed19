import pytest

from agents.planner.reflex.intents import PHRASES, name_in, understand
from agents.planner.reflex.matching import similarity


@pytest.mark.parametrize(
    ("intent", "phrase"), [(intent, phrase) for intent, all_ in PHRASES.items() for phrase in all_]
)
def test_every_phrase_of_the_table_is_understood_as_its_own_intent(
    intent: str, phrase: str
) -> None:
    spoken = phrase.replace("+", "") + (" Anna" if intent == "name_given" else "")
    assert understand(spoken).intent == intent


@pytest.mark.parametrize(
    ("heard", "intent"),
    [
        ("Hello robot, who are you?", "identity"),
        ("hello hello what can you do", "capabilities"),
        ("how are you today", "wellbeing"),
        ("How old are you?", "age"),
        ("what's the weather like", "weather"),
        ("is the weathers good today", "weather"),
        ("could you please tell me a long story", "story"),
        ("tell me a store e about a story", "story"),
        ("tell me about your self", "about_self"),
        ("good bye robot", "goodbye"),
        ("thank you very much", "thanks"),
        ("please find the red ball for me", "find_ball"),
        ("uh what did you just say", "repeat"),
        ("well i am so sad today", "user_sad"),
        ("what is my name", "name_asked"),
        ("what is your name", "identity"),
        ("WHAT TIME IS IT", "time"),
    ],
)
def test_recogniser_errors_and_small_words_do_not_matter(heard: str, intent: str) -> None:
    assert understand(heard).intent == intent


@pytest.mark.parametrize(
    "heard",
    [
        "the quick brown fox jumps",
        "do you like pizza",
        "what is the capital of france",
        "i live in a house",
        "hello there do you know anything about trains",
        "my name is",
        "my name is not important",
        "日本語",
        "12345",
    ],
)
def test_what_no_phrase_covers_is_unknown(heard: str) -> None:
    assert understand(heard).intent == "unknown"


@pytest.mark.parametrize("heard", ["", "  ", "...", "?!", "\x00"])
def test_no_words_are_no_question(heard: str) -> None:
    assert understand(heard).intent == "nothing_heard"


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("My name's anna.", "Anna"),
        ("hi my name is Bob and I like you", "Bob"),
        ("please call me Doctor Strange", "Strange"),
        ("my name is actually Eve", "Eve"),
    ],
)
def test_a_name_is_taken_from_what_follows(heard: str, name: str) -> None:
    assert name_in(understand(heard)) == name


def test_ten_thousand_characters_are_understood_by_their_beginning() -> None:
    assert understand("tell me a story " + "and so on " * 1000).intent == "story"


def test_short_words_must_be_right_and_long_ones_nearly() -> None:
    assert similarity("who", "how") == 0
    assert 0 < similarity("weather", "weathers") < 1
    assert similarity("yourself", "himself") == 0
