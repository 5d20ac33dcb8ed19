"""Pictures from outside: what is decoded, what is refused, and at what cost."""

import subprocess
import sys
import zlib
from io import BytesIO

import pytest

from agents.engines.pictures import (
    MAX_BYTES,
    MAX_PORTABLE_SIDE,
    MAX_SIDE,
    decode,
    measured,
    portable,
)
from agents.runtime.errors import AgentError
from tests.agents.vision.screens import chunk, encoded, plain, png

PIL = pytest.importorskip("PIL.Image", reason="robot-hub[vision] is not installed")

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
GROWTH_KIB = 50 * 1024


def refusal(data: bytes) -> str:
    with pytest.raises(AgentError) as caught:
        decode(data)
    assert caught.value.code == "bad_picture"
    return str(caught.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_measured_and_decoded(kind: str) -> None:
    data = plain("red", (64, 48), kind)
    assert measured(data) == (64, 48, f"image/{kind.lower()}")
    picture = decode(data)
    red, green, blue = picture.getpixel((30, 20))
    assert (picture.mode, picture.size) == ("RGB", (64, 48))
    assert red > 230
    assert max(green, blue) < 30


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_cut_short_is_refused(kind: str) -> None:
    noise = PIL.effect_noise((200, 150), 80)
    data = encoded(noise, kind)
    for size in (0, 10, 25, 60, len(data) // 2):
        assert "cannot be used" in refusal(data[:size])


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg/>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n" + bytes(50), bytes(1000)],
    ids=["nothing", "half a header", "svg", "pdf", "half a png", "zeros"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refusal(data)


def test_a_damaged_picture_is_refused_or_decoded_and_nothing_else() -> None:
    whole = plain("red", (120, 90), "PNG")
    ends = []
    for at in range(8, len(whole), 7):
        damaged = whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :]
        try:
            ends.append(decode(damaged).mode)
        except AgentError as error:
            ends.append(error.code)
    assert set(ends) <= {"RGB", "bad_picture"}
    assert "bad_picture" in ends


def test_of_an_animation_the_first_picture_is_taken() -> None:
    frames = [PIL.new("RGB", (40, 30), colour) for colour in ("red", "blue", "lime")]
    for kind in ("GIF", "WEBP", "PNG"):
        stream = BytesIO()
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:], duration=50)
        red, green, blue = decode(stream.getvalue()).getpixel((20, 15))
        assert red > 200
        assert max(green, blue) < 60


def test_a_large_picture_is_made_smaller_and_stays_in_proportion() -> None:
    data = plain("red", (2560, 1440), "JPEG")
    assert decode(data).size == (MAX_SIDE, 720)
    assert decode(data, 0).size == (2560, 1440)


def test_too_many_bytes_are_refused_unread() -> None:
    assert "bytes" in refusal(bytes(MAX_BYTES + 1))


def test_what_servers_read_is_sent_as_it_came_and_the_rest_as_jpeg() -> None:
    small = plain("red", (64, 48), "PNG")
    assert portable(small) == ("image/png", small)
    for odd in (plain("red", kind="BMP"), plain("red", (3000, 500))):
        kind, data = portable(odd)
        width, height, media_type = measured(data)
        assert kind == media_type == "image/jpeg"
        assert max(width, height) <= MAX_PORTABLE_SIDE


def test_texts_in_a_picture_are_never_unpacked() -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(100 << 20), 9)
    profile = b"icc\0\0" + zlib.compress(bytes(100 << 20), 9)
    data = png(64, 48, chunk(b"zTXt", text), chunk(b"iCCP", profile))
    assert decode(data).size == (64, 48)


BOMBS = {
    "a png of 13,000 x 13,000": "png(13_000, 13_000)",
    "a png of 13,000 x 13,000 of which the end is missing": "png(13_000, 13_000)[:5000]",
    "compressed texts of a gigabyte": (
        "png(64, 48, *[chunk(b'zTXt', b'k' + bytes([65 + i, 0, 0])"
        " + zlib.compress(bytes(50 << 20), 9)) for i in range(20)])"
    ),
    "a gif of 60,000 x 60,000": "plain('red', kind='GIF').replace(struct.pack('<HH', 64, 48), struct.pack('<HH', 60_000, 60_000), 1)",
    "a bmp of 60,000 x 60,000": (
        "b'BM' + struct.pack('<IHHI', 100, 0, 0, 54)"
        " + struct.pack('<IiiHHIIiiII', 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(60)"
    ),
    "a webp canvas of 16,000 x 16,000": (
        "b'RIFF' + struct.pack('<I', 60) + b'WEBPVP8X' + struct.pack('<I', 10) + bytes(4)"
        " + (15_999).to_bytes(3, 'little') * 2 + bytes(40)"
    ),
    "a jpeg of 60,000 x 60,000": (
        "plain('red', kind='JPEG').replace(struct.pack('>HH', 48, 64),"
        " struct.pack('>HH', 60_000, 60_000), 1)"
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_met_in_bounded_memory(name: str) -> None:
    """In a process of its own, since only there the greatest size ever says anything."""
    script = f"""
import resource, struct, zlib
from agents.engines.pictures import decode
from agents.runtime.errors import AgentError
from tests.agents.vision.screens import chunk, plain, png
decode(plain("red"))
data = {BOMBS[name]}
assert len(data) < 2_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    end = "decoded"
    decode(data)
except AgentError as error:
    assert error.code == "bad_picture"
    end = str(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, end)
"""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    growth, _, end = result.stdout.partition(" ")
    assert int(growth) < GROWTH_KIB
    assert ("pixels" in end) is (" x " in name)
