"""The light robots' own WebSocket client, byte by byte."""

import pytest

from robot_sim.load.frames import (
    BINARY,
    CLOSE,
    TEXT,
    FrameReader,
    NoUpgrade,
    close_code,
    encode_frame,
    upgrade_request,
)

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def from_server(opcode: int, payload: bytes) -> bytes:
    """A frame without a mask, as servers send it."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload


def test_frames_come_out_whole_however_the_network_cuts_them() -> None:
    sent = [(TEXT, b"hello"), (BINARY, bytes(300)), (TEXT, b""), (CLOSE, b"\x0f\xa1replaced")]
    stream = UPGRADED + b"".join(from_server(*frame) for frame in sent)

    for piece in (1, 2, 7, 64, len(stream)):
        reader = FrameReader()
        parts = (stream[at : at + piece] for at in range(0, len(stream), piece))
        assert [tuple(frame) for part in parts for frame in reader.feed(part)] == sent


def test_a_server_that_opens_no_websocket_says_why() -> None:
    reader = FrameReader()

    with pytest.raises(NoUpgrade, match="403 Forbidden") as refused:
        list(reader.feed(b"HTTP/1.1 403 Forbidden\r\n\r\n"))

    assert refused.value.status == 403
    assert not reader.upgraded


def test_a_client_masks_its_frames_and_shows_its_token() -> None:
    assert encode_frame(TEXT, b"hi") == b"\x81\x82\0\0\0\0hi"
    assert b"Authorization: Bearer secret\r\n" in upgrade_request("h", "/robot", "secret")
    assert b"Authorization" not in upgrade_request("h", "/robot")


def test_a_close_frame_without_a_code_has_the_code_for_that() -> None:
    assert close_code(b"\x0f\xa1why") == (4001, "why")
    assert close_code(b"") == (1005, "")
