"""LocalAgreement-2 on words."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.stt.stable import Agreement, agree, settle


def after(*decodings: str) -> Agreement:
    return reduce(agree, decodings, Agreement())


@pytest.mark.parametrize(
    ("decodings", "text", "stable"),
    [
        ((), "", ""),
        (("turn left",), "turn left", ""),
        (("turn left", "turn left and"), "turn left and", "turn left"),
        (("turn left", "turn right"), "turn right", "turn"),
        (("turn left", "turn left", "tune left now"), "turn left now", "turn left"),
        (("Turn left.", "turn left, please"), "turn left, please", "turn left,"),
        (("turn left", "turn left", ""), "turn left", "turn left"),
    ],
)
def test_words_of_two_decodings_in_a_row_are_stable(
    decodings: tuple[str, ...], text: str, stable: str
) -> None:
    agreement = after(*decodings)
    assert (agreement.text, agreement.text[: agreement.stable_chars]) == (text, stable)


def test_the_final_text_takes_back_nothing_that_was_stable() -> None:
    assert settle(after("turn left", "turn left"), "tune lift now please") == (
        "turn left now please"
    )


words = st.lists(st.sampled_from(["turn", "left", "Left.", "now", "…", "please"]), max_size=6)


@given(st.lists(words.map(" ".join), max_size=8))
def test_what_is_stable_once_begins_every_later_text(decodings: list[str]) -> None:
    agreement, stable = Agreement(), ""
    for decoded in decodings:
        agreement = agree(agreement, decoded)
        assert agreement.text.startswith(stable)
        stable = agreement.text[: agreement.stable_chars]
    assert settle(agreement, "something else").startswith(stable)
