import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planner.clean import Cleaner, clean


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Hello <laugh> there", "Hello there"),
        ("<happy>Hi!</happy>", "Hi!"),
        ("*waves happily* Hi!", "Hi!"),
        ("That is **really** good", "That is really good"),
        ("[laughs] Okay", "Okay"),
        ("See [the page](http://x.org/a) now", "See the page now"),
        ("# Title\n- one\n- two", "Title one two"),
        ("Use `this` one", "Use this one"),
        ("3 < 5 and 7 > 2", "3 < 5 and 7 > 2"),
        ("I <3 you", "I <3 you"),
        ("unfinished <ta", "unfinished <ta"),
        ("one\n\ntwo", "one two"),
        ("", ""),
        ("***", ""),
    ],
)
def test_markup_is_not_spoken_and_all_else_is(written: str, spoken: str) -> None:
    assert clean(written) == spoken


@given(
    st.text(alphabet="ab <>*[]()\n#-/`_1", max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_it_does_not_matter_where_the_text_is_cut(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    whole, cut = Cleaner(), Cleaner()
    expected = whole.feed(text) + whole.finish()
    assert "".join(cut.feed(piece) for piece in pieces) + cut.finish() == expected


def test_plain_words_pass_at_once() -> None:
    cleaner = Cleaner()
    cleaner.feed("Well")
    assert cleaner.feed(", hello. ") == ", hello. "


def test_a_tag_that_never_closes_is_let_go_after_a_while() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("<a" + "b" * 200).startswith("<ab")
