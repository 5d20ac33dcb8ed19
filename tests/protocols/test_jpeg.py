"""The size of a JPEG is read from its header, and nothing that is none is taken for one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.codecs.jpeg import MAX_STEPS, jpeg_size
from tests.fakes.pictures import claimed, jpeg


@pytest.mark.parametrize(("width", "height"), [(16, 16), (64, 48), (640, 480), (322, 242)])
def test_a_real_picture_says_its_size(width: int, height: int) -> None:
    assert jpeg_size(jpeg(width, height)) == (width, height)


@given(st.integers(1, 65_535), st.integers(1, 65_535))
def test_any_size_that_is_claimed_is_read(width: int, height: int) -> None:
    assert jpeg_size(claimed(width, height)) == (width, height)


@given(st.binary(max_size=200))
@example(b"\xff\xd8")
@example(b"\xff\xd8\xff\xda\x00\x02")
@example(b"\xff\xd8" + b"\xff" * 1_000_000)
@example(b"\xff\xd8" + b"\xff\xe0\x00\x02" * (MAX_STEPS + 1) + claimed(8, 8)[2:])
@example(claimed(0, 480))
@example(claimed(640, 480)[:17])
def test_what_shows_no_size_is_no_picture(data: bytes) -> None:
    assert jpeg_size(data) is None


@given(st.integers(0, 600))
def test_a_picture_that_is_cut_never_gets_another_size(cut: int) -> None:
    assert jpeg_size(jpeg()[:cut]) in (None, (64, 48))


def test_other_kinds_of_pictures_are_none() -> None:
    for data in (b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF....WEBP"):
        assert jpeg_size(data) is None
