"""Marks in microphone audio."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.marks import GRID_SAMPLES, MAX_TEXT_BYTES, Mark, MarkKind, find_marks, marked_chunk


@given(st.sampled_from(MarkKind), st.text(max_size=200), st.integers(0, 2_000))
def test_a_mark_is_found_where_it_was_put(kind: MarkKind, text: str, before: int) -> None:
    pcm = bytes(2 * before) + marked_chunk(kind, 320, text) + bytes(640)
    assert find_marks(pcm) == [Mark(kind, text, before)]


@given(st.binary(max_size=4_000))
def test_any_bytes_may_be_searched(pcm: bytes) -> None:
    assert find_marks(pcm) == []


def test_a_chunk_grows_to_hold_its_text_and_stays_on_the_grid() -> None:
    chunk = marked_chunk(MarkKind.START, 320, "x" * 400)
    assert len(chunk) == 2 * 3 * GRID_SAMPLES


def test_a_text_that_is_cut_off_is_given_as_far_as_it_goes() -> None:
    assert find_marks(marked_chunk(MarkKind.START, 320, "turn left")[: 2 * (5 + 4)]) == [
        Mark(MarkKind.START, "turn", 0)
    ]


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1000 bytes"):
        marked_chunk(MarkKind.START, 320, "x" * (MAX_TEXT_BYTES + 1))
