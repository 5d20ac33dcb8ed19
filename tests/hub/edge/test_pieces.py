"""Large bytes in pieces: read as a file, laid together, and let go."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.bulk import CRUMB_BYTES
from hub.edge.pieces import Pieces, taken_from

MOVES = st.lists(
    st.one_of(
        st.integers(0, 40),
        st.tuples(st.integers(0, 120), st.just(io.SEEK_SET)),
        st.tuples(st.integers(-20, 20), st.just(io.SEEK_CUR)),
        st.tuples(st.integers(-60, 5), st.just(io.SEEK_END)),
    )
)


@given(st.lists(st.binary(max_size=30)), MOVES, st.sampled_from([1, CRUMB_BYTES]))
def test_pieces_are_read_as_the_file_that_they_make(
    sent: list[bytes], moves: list[int | tuple[int, int]], crumb_bytes: int
) -> None:
    pieces, whole = Pieces(), io.BytesIO(b"".join(sent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.edge.bulk.CRUMB_BYTES", crumb_bytes)
        for piece in sent:
            assert pieces.write(piece) == len(piece)
    file = pieces.open()
    for move in moves:
        if isinstance(move, int):
            part = file.read(move)
            assert part == whole.read(len(part))
            assert part or not move or whole.read(1) == b""
        elif (
            move[0] + {io.SEEK_SET: 0, io.SEEK_CUR: whole.tell(), io.SEEK_END: len(pieces)}[move[1]]
            >= 0
        ):
            assert file.seek(*move) == whole.seek(*move)
        assert file.tell() == whole.tell()
    assert (len(pieces), pieces.whole()) == (len(whole.getvalue()), whole.getvalue())


def test_crumbs_are_laid_together() -> None:
    pieces = Pieces(*[b"a"] * 1_000)
    assert len(pieces) == 1_000
    assert len(pieces.open().read()) == 1_000


def test_the_head_goes_beyond_the_first_piece() -> None:
    assert Pieces(b"RI" * CRUMB_BYTES, b"FF").head(2 * CRUMB_BYTES + 1)[-3:] == b"RIF"


def test_what_is_let_go_is_held_no_more() -> None:
    pieces = Pieces(*[bytes(CRUMB_BYTES)] * 9)
    pieces.let_go()
    assert (len(pieces), pieces.whole(), pieces.open().read()) == (0, b"", b"")


def test_pieces_are_taken_in_their_order_and_each_only_once() -> None:
    held = [b"a", b"b", b"c"]
    taken = taken_from(held)
    assert (next(taken), held) == (b"a", [b"c", b"b"])
    assert (list(taken), held) == ([b"b", b"c"], [])
