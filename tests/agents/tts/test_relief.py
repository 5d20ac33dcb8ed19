import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tts.backends.base import Marks
from agents.tts.relief import MOST_RESTS_S, RESTS_S, WELL, Health, Relief, Said, relief_for, silent
from protocols.messages.speech import VisemeMark, WordMark


@pytest.mark.parametrize(
    ("active", "threshold", "health", "relief"),
    [
        (0, 0, WELL, None),
        (1, 0, WELL, Relief.BUSY),
        (2, 2, WELL, None),
        (3, 2, WELL, Relief.BUSY),
        (99, None, WELL, None),
        (0, 0, Health(1, 100.1), Relief.RESTING),
        (0, 0, Health(1, 100.0), None),
        (1, 0, Health(1, 100.1), Relief.RESTING),
    ],
)
def test_who_speaks_a_phrase(
    active: int, threshold: int | None, health: Health, relief: Relief | None
) -> None:
    assert relief_for(active, threshold, health, now_s=100.0) == relief


def test_a_voice_that_fails_again_and_again_rests_longer_and_longer() -> None:
    health, rests = WELL, []
    for _ in range(9):
        health = health.failed(100.0)
        rests.append(health.rests_until_s - 100.0)
    assert rests[:3] == [RESTS_S, 2 * RESTS_S, 4 * RESTS_S]
    assert rests[-1] == MOST_RESTS_S


def word(text: str, start_ms: int, end_ms: int) -> WordMark:
    return WordMark(text, start_ms, end_ms)


def test_a_mark_is_given_out_when_its_audio_comes() -> None:
    said = Said("one two three")
    one, two, three = word("one", 0, 100), word("two", 100, 200), word("three", 250, 300)
    said.add(Marks((one, two, three), (VisemeMark("w", 0), VisemeMark("t", 110))))
    assert said.before(100) == Marks((one,), (VisemeMark("w", 0),))
    assert said.rest() == "two three"
    assert said.before(100) is None
    assert said.before(101) == Marks((two,), ())
    assert said.ended_ms == 200
    assert said.rest() == "three"
    assert said.finish() == Marks((three,), (VisemeMark("t", 110),))
    assert said.rest() == ""


@given(st.lists(st.text("ab–é.", min_size=1, max_size=4), min_size=1), st.integers(0, 20))
def test_what_was_given_out_and_what_is_left_are_the_phrase(words: list[str], given: int) -> None:
    said = Said(" ".join(words))
    said.add(Marks(tuple(word(each, at, at + 1) for at, each in enumerate(words))))
    marks = said.before(given)
    spoken = [mark.text for mark in marks.words] if marks else []
    assert [*spoken, *said.rest().split()] == words
    assert len(spoken) == min(given, len(words))


def test_a_word_that_an_engine_parts_counts_by_its_letters() -> None:
    said = Said("aaaa bb")
    said.add(Marks((word("aa", 0, 10),)))
    said.before(5)
    assert said.rest() == "aa bb"


def test_words_without_a_sound_have_marks_nonetheless() -> None:
    assert silent("– ?!", 70).words == (word("–", 70, 70), word("?!", 70, 70))
