"""What people say of timers and reminders, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.reminders.durations import duration_at
from hub.reminders.wish import After, Ask, At, Cancel, Set, Wish, wish_of


def timer(seconds: int | None, what: str = "") -> Set:
    return Set("timer", None if seconds is None else After(seconds), what)


def reminder(when: After | At | None, what: str = "") -> Set:
    return Set("reminder", when, what)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("set a timer for five minutes", timer(300)),
        ("Set a five minute timer, please.", timer(300)),
        ("Set a 5-minute timer.", timer(300)),
        ("please set a timer for twenty five minutes", timer(1_500)),
        ("start a timer for one and a half hours", timer(5_400)),
        ("set a timer for an hour and a half", timer(5_400)),
        ("set a timer for an hour and five minutes", timer(3_900)),
        ("set a timer for half an hour", timer(1_800)),
        ("set a timer for a quarter of an hour", timer(900)),
        ("set a timer for a couple of minutes", timer(120)),
        ("could you set a timer for 90 seconds", timer(90)),
        ("timer ten seconds", timer(10)),
        ("set a timer for ten minutes to bake the bread", timer(600, "bake the bread")),
        ("set a timer", timer(None)),
        ("remind me at six to feed the cat", reminder(At(6), "feed the cat")),
        ("remind me to feed the cat at six", reminder(At(6), "feed the cat")),
        ("Remind me to take my pills at 7:30 pm.", reminder(At(7, 30, "pm"), "take your pills")),
        ("remind me at 7 a.m. to get up", reminder(At(7, 0, "am"), "get up")),
        ("remind me at 18:05 to go", reminder(At(18, 5), "go")),
        ("remind me at six thirty to go", reminder(At(6, 30), "go")),
        ("remind me at six oh five to go", reminder(At(6, 5), "go")),
        ("remind me at six o'clock to go", reminder(At(6), "go")),
        ("remind me at half past six to go", reminder(At(6, 30), "go")),
        ("remind me at quarter to seven about the show", reminder(At(6, 45), "the show")),
        ("remind me at twenty to one to go", reminder(At(12, 40), "go")),
        ("remind me at ten past four to go", reminder(At(4, 10), "go")),
        ("remind me at noon to eat lunch", reminder(At(12, 0, "pm"), "eat lunch")),
        ("remind me at noon tomorrow to eat", reminder(At(12, 0, "pm", "tomorrow"), "eat")),
        ("remind me at six this evening to eat", reminder(At(6, 0, "pm"), "eat")),
        (
            "remind me tomorrow night at nine to sleep",
            reminder(At(9, 0, "night", "tomorrow"), "sleep"),
        ),
        ("remind me at midnight to sleep", reminder(At(0), "sleep")),
        (
            "remind me to buy two apples at six in the evening",
            reminder(At(6, 0, "pm"), "buy two apples"),
        ),
        (
            "can you remind me tomorrow at eight to go to school",
            reminder(At(8, 0, "", "tomorrow"), "go to school"),
        ),
        (
            "remind me tomorrow morning at seven to run",
            reminder(At(7, 0, "am", "tomorrow"), "run"),
        ),
        (
            "remind me on monday at nine to bring the book",
            reminder(At(9, 0, "", "monday"), "bring the book"),
        ),
        (
            "remind me to look at the stars tonight at ten",
            reminder(At(10, 0, "night", "today"), "look at the stars"),
        ),
        ("remind me in ten minutes to call mom", reminder(After(600), "call mom")),
        ("remind me to call mom in half an hour", reminder(After(1_800), "call mom")),
        ("remind me of the milk in 2 hours", reminder(After(7_200), "the milk")),
        ("remind me to eat", reminder(None, "eat")),
        ("wake me up at six thirty", reminder(At(6, 30), "wake up")),
        ("set an alarm for 7 am", reminder(At(7, 0, "am"))),
        ("set a reminder for six to feed the cat", reminder(At(6), "feed the cat")),
        ("how much time is left on the timer", Ask("timer")),
        ("what are my reminders", Ask("reminder")),
        ("do I have any timers?", Ask("timer")),
        ("cancel the timer", Cancel("timer")),
        ("please delete all my reminders", Cancel("reminder")),
        ("turn off the alarm", Cancel("reminder")),
        ("cancel my five minute timer", Cancel("timer")),
        ("stop the timer", Cancel("timer")),
    ],
)
def test_a_wish_is_understood(text: str, wish: Wish) -> None:
    assert wish_of(text) == wish


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please",
        "what is a timer",
        "tell me a story about a timer",
        "I want to stop the story about the timer",
        "what time is it",
        "that reminds me of my cat",
        "stop",
        "do you remember my name",
        "how long is the river",
        "I will be there in ten minutes",
        "the alarm in my school is loud",
        "I left my alarm at home",
        "forget what I said about the reminder",
        "stop the story about the alarm",
    ],
)
def test_other_talk_is_left_to_the_planner(text: str) -> None:
    assert wish_of(text) is None


@given(st.text(max_size=300))
def test_any_text_means_something_or_nothing(text: str) -> None:
    wish_of(text)


_WORDS = [
    "set",
    "a",
    "timer",
    "for",
    "remind",
    "me",
    "to",
    "at",
    "in",
    "on",
    "half",
    "past",
    "quarter",
    "six",
    "seven",
    "thirty",
    "oh",
    "o'clock",
    "am",
    "pm",
    "the",
    "morning",
    "tonight",
    "tomorrow",
    "monday",
    "hour",
    "hours",
    "minute",
    "minutes",
    "and",
    "an",
    "7",
    "12",
    "7:30",
    "feed",
    "cat",
    "one",
    "twenty",
]


@given(st.lists(st.sampled_from(_WORDS), max_size=25))
def test_the_words_of_wishes_in_any_order_are_no_trouble(words: list[str]) -> None:
    wish = wish_of(" ".join(words))
    if isinstance(wish, Set) and isinstance(wish.when, At):
        assert 0 <= wish.when.hour <= 23
        assert 0 <= wish.when.minute <= 59


@given(st.integers(1, 59), st.integers(1, 59))
def test_parts_of_a_duration_add_up(hours: int, minutes: int) -> None:
    words = f"{hours} hours and {minutes} minutes".split()
    found = duration_at(words, 0)
    assert found is not None
    assert found == (hours * 3_600 + minutes * 60, len(words))
