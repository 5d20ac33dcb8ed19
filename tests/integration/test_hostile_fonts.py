"""Font files are programs for whoever draws with them. Nobody here does: wherever one is sent, it is
refused by what it begins with, before anything of it is read as a font."""

import struct

import pytest

from agents.engines.pictures import decode, measured
from agents.memory.texts import text_of
from agents.runtime.errors import AgentError
from hub.edge.pieces import Pieces
from hub.edge.recordings import decode as decode_sound
from protocols.errors import HubError

HUGE = 0xFFFF_FFF0


def sfnt(tag: bytes) -> bytes:
    """A font whose table of contents promises 65,535 tables of four gigabytes each."""
    entry = b"glyf" + struct.pack(">III", 0, HUGE, HUGE)
    return tag + struct.pack(">HHHH", 0xFFFF, 0, 0, 0) + entry * 4_000


FONTS = {
    "truetype": sfnt(b"\0\1\0\0"),
    "opentype": sfnt(b"OTTO"),
    "collection": b"ttcf" + struct.pack(">III", 0x20000, HUGE, 0) * 5_000,
    "woff": b"wOFF" + b"OTTO" + struct.pack(">IHHI", HUGE, 0xFFFF, 0, HUGE) + bytes(50_000),
    "woff2": b"wOF2" + b"OTTO" + struct.pack(">IHHI", HUGE, 0xFFFF, 0, HUGE) + bytes(50_000),
    "in an svg": b"<svg xmlns='http://www.w3.org/2000/svg'><font-face src='x'/></svg>" * 500,
}


@pytest.mark.parametrize("font", FONTS.values(), ids=FONTS)
def test_a_font_is_no_picture(font: bytes) -> None:
    with pytest.raises(AgentError, match="picture"):
        measured(font)
    with pytest.raises(AgentError, match="picture"):
        decode(font)


@pytest.mark.parametrize("font", FONTS.values(), ids=FONTS)
def test_a_font_is_no_recording(font: bytes) -> None:
    with pytest.raises(HubError):
        decode_sound(Pieces(font))


@pytest.mark.parametrize("name", [name for name in FONTS if name != "in an svg"])
def test_a_font_is_no_document(name: str) -> None:
    with pytest.raises(AgentError):
        text_of(FONTS[name])
