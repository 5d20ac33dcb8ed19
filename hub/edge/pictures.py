"""Pictures that come in base64: decoded within bounds, and measured without touching a pixel."""

import asyncio
import base64
import binascii
import re
from typing import NamedTuple

from hub.edge.limits import PARSED_IN_PLACE_BYTES
from hub.errors import BadRequest, BodyTooLarge
from hub.jobs.inference import Picture
from protocols.codecs.jpeg import jpeg_size

MAX_PICTURES = 8
MAX_PICTURE_BYTES = 16 << 20
MAX_PIXELS = 16_000_000
"""What vision decodes, and no more."""

_DATA_URI = re.compile(r"\s*data:[\w.+/-]*(?:;[\w=.+-]+)*,", re.ASCII)
_PNG, _IHDR = b"\x89PNG\r\n\x1a\n", b"IHDR"
_LONGEST_PREFIX = 200


class BadPicture(BadRequest):
    """What was sent is no picture that is read here."""

    code = "bad_picture"


class PictureTooLarge(BodyTooLarge):
    """It has more bytes or pixels than are taken."""


class SentPicture(NamedTuple):
    """An encoded picture, and its size in pixels."""

    data: bytes
    media_type: str
    width: int
    height: int

    @property
    def picture(self) -> Picture:
        """As jobs take it."""
        return Picture(self.data, self.media_type)


async def read_pictures(texts: list[str]) -> list[SentPicture]:
    """The pictures of a request, each in base64 or as a ``data:`` URI; large ones are decoded off
    the loop.

    Raises:
        BadPicture: one of them is none, or they are too many.
        PictureTooLarge: one of them is larger than is taken.
    """
    if len(texts) > MAX_PICTURES:
        raise BadPicture(f"{len(texts)} pictures came, {MAX_PICTURES} are allowed")
    if sum(map(len, texts)) <= PARSED_IN_PLACE_BYTES:
        return [read_picture(text) for text in texts]
    return await asyncio.to_thread(lambda: [read_picture(text) for text in texts])


def read_picture(text: str) -> SentPicture:
    """One of them; raises as ``read_pictures``."""
    prefix = _DATA_URI.match(text[:_LONGEST_PREFIX])
    encoded = text[prefix.end() :] if prefix else text
    if len(encoded) > MAX_PICTURE_BYTES * 4 // 3 + 1_000_000:
        raise PictureTooLarge(f"a picture may have {MAX_PICTURE_BYTES} bytes")
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadPicture("a picture is expected in base64, or as a data: URI") from None
    return sent_picture(data)


def sent_picture(data: bytes) -> SentPicture:
    """One that was sent as it is; raises as ``read_pictures``."""
    if len(data) > MAX_PICTURE_BYTES:
        raise PictureTooLarge(f"a picture may have {MAX_PICTURE_BYTES} bytes")
    media_type, size = _measured(data)
    if size is None or not all(size):
        raise BadPicture("a picture is expected as PNG, JPEG, WebP, GIF or BMP")
    if size[0] * size[1] > MAX_PIXELS:
        raise PictureTooLarge(f"a picture may have {MAX_PIXELS} pixels")
    return SentPicture(data, media_type, *size)


def _measured(data: bytes) -> tuple[str, tuple[int, int] | None]:
    """Media type and size of a picture by its first bytes. Sources: RFC 2083 (PNG), ITU-T T.81
    (JPEG), RFC 9649 and RFC 6386 (WebP), the GIF89a specification, BITMAPINFOHEADER."""
    if data.startswith(_PNG) and data[12:16] == _IHDR and len(data) > 24:
        return "image/png", (_big(data[16:20]), _big(data[20:24]))
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg", jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", _webp_size(data)
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) > 10:
        return "image/gif", (_little(data[6:8]), _little(data[8:10]))
    if data[:2] == b"BM" and len(data) > 26:
        height = int.from_bytes(data[22:26], "little", signed=True)  # negative: top row first
        return "image/bmp", (_little(data[18:22]), abs(height))
    return "", None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8X":
            return _little(data[24:27]) + 1, _little(data[27:30]) + 1
        case b"VP8L":
            bits = _little(data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
