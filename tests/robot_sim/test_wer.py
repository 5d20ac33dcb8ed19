"""The word error rate against counts made by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot_sim.wer import normalised, word_errors


@pytest.mark.parametrize(
    ("reference", "understood", "errors", "words"),
    [
        ("turn around", "turn around", 0, 2),
        ("Turn around!", "turn, around.", 0, 2),
        ("what's up", "whats up", 0, 2),
        ("good-bye robot", "good bye robot", 0, 3),
        ("turn around and look up", "turn a round and look", 3, 5),
        ("one two three", "", 3, 3),
        ("one two three", "one three", 1, 3),
        ("one three", "one two three", 1, 2),
        ("one two", "two one", 2, 2),
        ("", "something", 1, 0),
        ("", "", 0, 0),
    ],
)
def test_errors_are_counted(reference: str, understood: str, errors: int, words: int) -> None:
    assert word_errors(reference, understood) == (errors, words)


def test_rates_add_up_over_utterances_by_their_words() -> None:
    total = word_errors("a b c d e f g h", "a b c d e f g h") + word_errors("a b", "x y")
    assert total.rate == pytest.approx(0.2)
    assert word_errors("", "noise").rate == 1.0
    assert word_errors("", "").rate == 0.0


@given(st.text("ab ", max_size=12), st.text("ab ", max_size=12))
def test_it_is_a_distance(one: str, other: str) -> None:
    errors = word_errors(one, other).errors
    assert errors == word_errors(other, one).errors
    assert (errors == 0) == (normalised(one) == normalised(other))
    assert errors <= max(len(normalised(one)), len(normalised(other)))
