"""Encoded pictures from outside, decoded within bounds.

A picture says how large it is before it is decoded, and what is not pixels is not read at all: a few
kilobytes may claim gigabytes.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NamedTuple

from agents.runtime.errors import AgentError, BackendUnavailable

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
MAX_BYTES = 16 << 20
MAX_PIXELS = 16_000_000
MAX_SIDE = 1280
"""Larger ones are made smaller: a model sees no more, and pays for every pixel."""
PORTABLE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""What every server that sees can read."""
MAX_PORTABLE_BYTES = 4 << 20
MAX_PORTABLE_SIDE = 2048

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""Chunks of a PNG that its first picture is made of; texts and profiles are compressed apart."""


class Measures(NamedTuple):
    """What a picture says of itself, in pixels."""

    width: int
    height: int
    media_type: str


def measured(data: bytes) -> Measures:
    """The size and format of a picture that may be decoded; its pixels are not touched.

    Raises:
        AgentError: ``bad_picture``; it is none, of another format, or too large.
        BackendUnavailable: Pillow is not installed.
    """
    with _opened(data) as image:
        return Measures(image.width, image.height, f"image/{image.format.lower()}")


def decode(data: bytes, max_side: int = MAX_SIDE) -> Any:
    """Blocking. A picture as PIL's RGB image, the first of an animation.

    Args:
        data: the encoded picture.
        max_side: no side is longer: what is larger is made smaller; 0: as it is.

    Raises:
        AgentError, BackendUnavailable: as ``measured``, and where the pixels are broken or missing.
    """
    with _opened(data) as image:
        if max_side:
            image.draft("RGB", (max_side, max_side))
        picture = image.convert("RGB")
    if max_side:
        picture.thumbnail((max_side, max_side))
    return picture


def portable(data: bytes) -> tuple[str, bytes]:
    """Blocking. Media type and bytes of a picture that any server takes: its own bytes if they will
    do, else a JPEG of it.

    Raises:
        AgentError, BackendUnavailable: as ``decode``.
    """
    width, height, media_type = measured(data)
    fits = len(data) <= MAX_PORTABLE_BYTES and max(width, height) <= MAX_PORTABLE_SIDE
    if media_type in PORTABLE and fits:
        return media_type, data
    encoded = BytesIO()
    decode(data, MAX_PORTABLE_SIDE).save(encoded, "JPEG", quality=90)
    return "image/jpeg", encoded.getvalue()


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    """PIL's image of a picture whose header has been checked."""
    try:
        from PIL import Image
    except ImportError as error:
        raise BackendUnavailable("Pillow is not installed; install robot-hub[vision]") from error
    if len(data) > MAX_BYTES:
        raise _bad(f"it has {len(data)} bytes, {MAX_BYTES} are allowed")
    _check_pixels(*_webp_size(data))
    broken = (OSError, ValueError, SyntaxError, EOFError, struct.error)
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(BytesIO(_only_pixels(data)), formats=FORMATS) as image:
            _check_pixels(image.width, image.height)
            yield image
    except (*broken, *bombs) as error:
        raise _bad(f"expected {', '.join(FORMATS)}: {error}") from error


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _bad(f"it has {width * height} pixels, {MAX_PIXELS} are allowed")


def _only_pixels(data: bytes) -> bytes:
    """``data``; of a PNG without whatever is no part of its picture."""
    if not data.startswith(_PNG):
        return data
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if data[at + 4 : at + 8] in _PIXELS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP, whose decoder takes memory for all pixels when it is opened; else
    (0, 0). Source: the WebP container specification, and RFC 6386 and 9649 for its two codecs."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return 0, 0
    match data[12:16]:
        case b"VP8X":
            width, height = data[24:27], data[27:30]
            return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _bad(why: str) -> AgentError:
    return AgentError(f"a picture cannot be used: {why}", "bad_picture")
