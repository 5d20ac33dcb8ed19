"""Pictures in base64, within bounds."""

import base64
import struct
import zlib

import pytest

from hub.edge.pictures import (
    MAX_PICTURE_BYTES,
    MAX_PICTURES,
    BadPicture,
    PictureTooLarge,
    read_picture,
    read_pictures,
)
from tests.fakes.pictures import claimed, jpeg


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def webp(kind: bytes, payload: bytes) -> bytes:
    return (b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + payload).ljust(40, b"\0")


@pytest.mark.parametrize(
    ("data", "media_type", "size"),
    [
        (png(33, 21), "image/png", (33, 21)),
        (jpeg(64, 48), "image/jpeg", (64, 48)),
        (b"GIF89a" + struct.pack("<HH", 7, 9) + bytes(4), "image/gif", (7, 9)),
        (b"BM" + bytes(16) + struct.pack("<ii", 8, -6) + bytes(8), "image/bmp", (8, 6)),
        (webp(b"VP8X", bytes(4) + b"\x0f\0\0\x07\0\0"), "image/webp", (16, 8)),
        (webp(b"VP8L", b"\x2f" + (15 | 7 << 14).to_bytes(4, "little")), "image/webp", (16, 8)),
        (webp(b"VP8 ", bytes(6) + struct.pack("<HH", 16, 8)), "image/webp", (16, 8)),
    ],
)
def test_a_picture_tells_its_type_and_size(
    data: bytes, media_type: str, size: tuple[int, int]
) -> None:
    read = read_picture(b64(data))

    assert (read.data, read.media_type, (read.width, read.height)) == (data, media_type, size)


def test_a_data_uri_and_broken_lines_are_read_as_well() -> None:
    data = png(3, 2)
    assert read_picture(f"data:image/png;base64,{b64(data)}").data == data
    assert read_picture(b64(data)[:20] + "\n" + b64(data)[20:] + "\n").data == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "???",
        "http://somewhere/a.png",
        "aGVsbG8=",
        b64(b"\x89PNG\r\n\x1a\n"),
        b64(png(1, 1))[:-3],
    ],
)
def test_what_is_no_picture_is_refused(text: str) -> None:
    with pytest.raises(BadPicture):
        read_picture(text)


def test_a_picture_that_claims_too_many_pixels_is_refused_unread() -> None:
    with pytest.raises(PictureTooLarge, match="16000000 pixels"):
        read_picture(b64(claimed(40_000, 40_000)))


def test_a_picture_of_too_many_bytes_is_refused() -> None:
    with pytest.raises(PictureTooLarge, match="bytes"):
        read_picture(b64(png(1, 1) + bytes(MAX_PICTURE_BYTES)))
    with pytest.raises(PictureTooLarge, match="bytes"):
        read_picture("A" * (2 * MAX_PICTURE_BYTES))


async def test_a_request_has_so_many_pictures_at_most() -> None:
    one = b64(png(2, 2))
    assert len(await read_pictures([one] * MAX_PICTURES)) == MAX_PICTURES
    with pytest.raises(BadPicture, match="8 are allowed"):
        await read_pictures([one] * (MAX_PICTURES + 1))


async def test_large_pictures_are_read_as_small_ones_are() -> None:
    data = png(700, 700) + bytes(400_000)
    (read,) = await read_pictures([b64(data)])
    assert (read.width, read.height, len(read.data)) == (700, 700, len(data))
