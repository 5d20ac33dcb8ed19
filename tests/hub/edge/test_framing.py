"""Frames are told apart as the library that knows the protocol tells them."""

import os
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Frame, Opcode, apply_mask
from websockets.protocol import State
from websockets.server import ServerProtocol

from hub.edge.framing import BINARY, TEXT, UNREAD, Found, FrameSplitter

LIMIT = 70_000


def frame(opcode: int, data: bytes, fin: bool = True, masked: bool = True) -> bytes:
    return Frame(Opcode(opcode), data, fin).serialize(mask=masked)


payloads = st.one_of(
    st.binary(max_size=130), st.sampled_from([125, 126, 127, 65_535, 65_536, LIMIT]).map(bytes)
)
whole = st.tuples(st.sampled_from([TEXT, BINARY]), payloads).map(lambda m: [frame(*m)])
control = st.tuples(st.sampled_from([9, 10]), st.binary(max_size=125)).map(lambda m: [frame(*m)])
in_parts = st.lists(st.binary(max_size=40), min_size=2, max_size=4).map(
    lambda parts: [
        frame(0 if at else BINARY, part, fin=at == len(parts) - 1) for at, part in enumerate(parts)
    ]
)
streams = st.lists(st.one_of(whole, control, in_parts), max_size=6).map(
    lambda messages: [one for message in messages for one in message]
)


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def read_by_the_library(data: bytes) -> list[tuple[int, bytes]]:
    protocol = ServerProtocol(state=State.OPEN, max_size=LIMIT)
    protocol.receive_data(data)
    assert protocol.parser_exc is None
    return [(e.opcode, bytes(e.data)) for e in protocol.events_received() if isinstance(e, Frame)]


def read(found: Sequence[Found]) -> list[tuple[int, bytes]]:
    """What splitter and library read together."""
    out: list[tuple[int, bytes]] = []
    protocol = ServerProtocol(state=State.OPEN, max_size=LIMIT)
    for kind, data in found:
        if kind == UNREAD:
            protocol.receive_data(data)
            out += [
                (e.opcode, bytes(e.data))
                for e in protocol.events_received()
                if isinstance(e, Frame)
            ]
        else:
            out.append((kind, data))
    return out


@given(streams, st.lists(st.integers(0, 200_000), max_size=8))
def test_however_a_stream_is_cut_its_frames_are_those_of_the_library(
    frames: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(frames)
    splitter = FrameSplitter(LIMIT)
    found = [one for piece in split(data, cuts) for one in splitter.feed(piece)]
    assert read(found) == read_by_the_library(data)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_no_bytes_are_made_up_whatever_comes(data: bytes, cuts: list[int]) -> None:
    splitter = FrameSplitter(64)
    handed_on = sum(len(one.data) for piece in split(data, cuts) for one in splitter.feed(piece))
    assert handed_on <= len(data)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (frame(BINARY, bytes(LIMIT + 1)), PayloadTooBig),
        (b"\x82\xff" + (2**62).to_bytes(8, "big"), PayloadTooBig),
        (frame(BINARY, b"unmasked", masked=False), ProtocolError),
        (b"\xf2\x84" + os.urandom(8), ProtocolError),
        (frame(BINARY, b"a", fin=False) + frame(BINARY, b"b"), ProtocolError),
    ],
    ids=["too large", "absurdly large", "not masked", "reserved bits", "a message in a message"],
)
def test_what_breaks_the_protocol_is_refused_by_the_library(
    data: bytes, refusal: type[Exception]
) -> None:
    splitter = FrameSplitter(LIMIT)
    protocol = ServerProtocol(state=State.OPEN, max_size=LIMIT)
    for at in range(len(data)):
        for kind, piece in splitter.feed(data[at : at + 1]):
            assert kind == UNREAD
            protocol.receive_data(piece)
    assert isinstance(protocol.parser_exc, refusal)


def test_a_message_is_there_with_its_last_byte() -> None:
    splitter, data = FrameSplitter(LIMIT), frame(BINARY, b"sound")
    assert [splitter.feed(data[at : at + 1]) for at in range(len(data) - 1)] == [[]] * (
        len(data) - 1
    )
    assert splitter.feed(data[-1:]) == [Found(BINARY, b"sound")]


def test_masks_are_undone() -> None:
    mask = b"\x01\x02\x03\x04"
    data = b"\x81\x85" + mask + apply_mask(b"hello", mask)
    assert FrameSplitter(LIMIT).feed(data) == [Found(TEXT, b"hello")]
