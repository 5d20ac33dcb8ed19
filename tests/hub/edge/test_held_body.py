"""Bodies that are held in the pieces they came in."""

import random

import pytest

from hub.edge.bulk import BLOCK_BYTES, CRUMB_BYTES
from hub.edge.form_body import parse_form
from hub.edge.held_body import HeldBody
from hub.edge.json_body import check_pieces
from hub.errors import BadBody, TooDeep

MIXED = (1, 2, 7, CRUMB_BYTES - 1, CRUMB_BYTES, BLOCK_BYTES, 3 * BLOCK_BYTES, 5)


def cut(content: bytes, seed: int) -> HeldBody:
    """``content`` as it may have come."""
    chance, body, at = random.Random(seed), HeldBody(), 0
    while at < len(content):
        piece = content[at : at + chance.choice(MIXED)]
        body.add(piece)
        at += len(piece)
    return body


@pytest.mark.parametrize("seed", range(6))
async def test_a_body_is_the_same_however_it_came(seed: int) -> None:
    content = random.Random(seed).randbytes(1_000_000 + seed)
    body = cut(content, seed)
    assert body.size == len(content)
    assert b"".join(body.pieces) == content
    assert await body.whole() == content
    assert await body.whole() is await body.whole()


def test_half_a_character_is_found_if_a_crumb_of_its_name_came_alone() -> None:
    body = HeldBody()
    for piece in (b'["'.ljust(CRUMB_BYTES - 1, b"a") + b"\\", b"u", b'd83d"]'.ljust(CRUMB_BYTES)):
        body.add(piece)
    assert len(body.pieces) == 3
    with pytest.raises(BadBody):
        check_pieces(body.pieces)


def test_crumbs_are_laid_together_so_that_they_take_no_more_than_they_are() -> None:
    body = HeldBody()
    for _ in range(300_000):
        body.add(b"ab")
    assert body.size == 600_000
    assert len(body.pieces) <= 600_000 // BLOCK_BYTES + 1


@pytest.mark.parametrize("seed", range(6))
def test_a_form_in_pieces_holds_its_file(seed: int) -> None:
    file = random.Random(seed).randbytes(700_000)
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = cut(part + file + b"\r\n--x--\r\n", seed)
    form = parse_form("multipart/form-data; boundary=x", body.pieces)
    upload = form.file("file")
    assert upload is not None
    assert upload.content.whole() == file


@pytest.mark.parametrize("seed", range(6))
def test_a_document_in_pieces_is_looked_at_as_one(seed: int) -> None:
    long = "a" * 300_000
    check_pieces(cut(f'["{long}", ["{long}"]]'.encode(), seed).pieces, depth=2)
    with pytest.raises(TooDeep):
        check_pieces(cut(f'["{long}", [["{long}"]]]'.encode(), seed).pieces, depth=2)
    with pytest.raises(BadBody):
        check_pieces(cut(f'["{long}\\ud83d{long}"]'.encode(), seed).pieces)
    with pytest.raises(BadBody):
        check_pieces(cut('["é"]'.encode("utf-16-le"), seed).pieces)
