"""JPEGs for tests: real ones of a plain colour, and the bare header of one of any size."""

from fractions import Fraction
from functools import cache

import av
import numpy as np


@cache
def jpeg(width: int = 64, height: int = 48, value: int = 128) -> bytes:
    """A picture that decodes, all of it of grey ``value``."""
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuvj420p"
    codec.time_base = Fraction(1, 10)
    pixels = np.full((height, width, 3), value, np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def claimed(width: int, height: int, size_bytes: int = 0) -> bytes:
    """The beginning of a JPEG that claims to be so large; nothing can be decoded from it."""
    sides = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    head = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + sides + bytes(10)
    return head.ljust(size_bytes, b"\0")
