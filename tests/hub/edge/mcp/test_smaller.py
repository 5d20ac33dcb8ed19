"""Pictures that are too large for an event of a stream."""

from fractions import Fraction

import av
import numpy as np

from hub.edge.mcp.smaller import MAX_PICTURE_BYTES, fitting
from hub.jobs.inference import Picture
from protocols.codecs.jpeg import jpeg_size


def png(side: int, noise: int) -> bytes:
    """A picture that is hard to compress by as much as it is noisy."""
    pixels = np.random.default_rng(1).integers(0, noise, (side, side, 3), np.uint8)
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = side, side, "rgb24"
    encoder.framerate = Fraction(1)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def test_a_large_picture_becomes_a_jpeg_of_its_size_that_fits() -> None:
    large = png(1024, 255)
    assert len(large) > MAX_PICTURE_BYTES
    smaller = fitting(Picture(large, "image/png"))
    assert smaller.media_type == "image/jpeg"
    assert len(smaller.data) <= MAX_PICTURE_BYTES
    assert jpeg_size(smaller.data) == (1024, 1024)


def test_what_fits_or_cannot_be_read_stays_as_it_is() -> None:
    for data, kind in (
        (png(256, 255), "image/png"),
        (b"\x89PNG" + bytes(MAX_PICTURE_BYTES), "image/png"),
        (bytes(MAX_PICTURE_BYTES + 1), "image/webp"),
    ):
        assert fitting(Picture(data, kind)) == Picture(data, kind)
