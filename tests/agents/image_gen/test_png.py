"""Pictures as they are handed out."""

import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.image_gen.png import png_of, size_in


def noise(width: int, height: int, seed: int = 0) -> "np.typing.NDArray[np.uint8]":
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
def test_another_library_reads_the_same_pixels(width: int, height: int, seed: int) -> None:
    images = pytest.importorskip("PIL.Image", reason="robot-hub[image] is not installed")
    pixels = noise(width, height, seed)
    with images.open(BytesIO(png_of(pixels))) as read:
        assert read.format == "PNG"
        assert np.array_equal(np.asarray(read.convert("RGB")), pixels)


def test_the_same_pixels_are_the_same_bytes_wherever_they_lie_in_memory() -> None:
    pixels = noise(30, 20)
    across = np.asfortranarray(pixels)
    assert png_of(pixels) == png_of(across)


def test_nothing_but_pixels_is_in_it() -> None:
    png = png_of(noise(5, 5))
    chunks, at = [], 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        chunks.append(png[at + 4 : at + 8])
        assert (
            zlib.crc32(png[at + 4 : at + 8 + length]).to_bytes(4, "big")
            == (png[at + 8 + length : at + 12 + length])
        )
        at += 12 + length
    assert chunks == [b"IHDR", b"IDAT", b"IEND"]


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(40)])
def test_what_is_no_png_has_no_size(data: bytes) -> None:
    assert size_in(data) is None


def test_the_size_is_in_the_header() -> None:
    assert size_in(png_of(noise(7, 3))) == (7, 3)
