"""Pictures for tests, and a bomb."""

import struct
import zlib

import numpy as np

from agents.image_gen.png import SIGNATURE, png_of


def plain(colour: tuple[int, int, int] = (200, 30, 30), side: int = 64) -> bytes:
    """A PNG of one colour."""
    return png_of(np.full((side, side, 3), colour, np.uint8))


def half_white(side: int = 64) -> bytes:
    """A mask: its right half is to be made anew."""
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[:, side // 2 :] = 255
    return png_of(pixels)


def bomb(side: int = 13_000) -> bytes:
    """Some twenty kilobytes that hold ``side`` × ``side`` pixels, one bit each and all black."""
    row = bytes(1 + (side + 7) // 8)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(row * side, 9)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    sum_ = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", sum_)
