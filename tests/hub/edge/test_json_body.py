"""JSON from outside: what nests too deep or grows too large is refused before it is built."""

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.bulk import BLOCK_BYTES
from hub.edge.json_body import check_json, parse_json
from hub.errors import BadBody, TooDeep, TooManyValues

TEXTS = st.text(alphabet='a"\\[]{},:\n\u00e9\u225b', max_size=12)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=30,
)


def depth_of(document: Any) -> int:
    if isinstance(document, dict):
        return 1 + max(map(depth_of, document.values()), default=0)
    if isinstance(document, list):
        return 1 + max(map(depth_of, document), default=0)
    return 0


@given(DOCUMENTS, st.booleans(), st.integers(0, 3))
def test_the_depth_that_is_seen_is_the_depth_that_is_built(
    document: Any, ascii_only: bool, pad: int
) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode()
    # Blocks end anywhere, in the middle of an escape, too.
    body = b" " * (BLOCK_BYTES - len(body) // 2 - pad) + body
    depth = depth_of(document)
    check_json(body, depth=depth)
    assert parse_json(body) == document
    if depth:
        with pytest.raises(TooDeep):
            check_json(body, depth=depth - 1)


@pytest.mark.parametrize("offset", range(12))
def test_half_a_character_is_found_wherever_two_blocks_meet(offset: int) -> None:
    for half in ("\\ud83d", "\\uD83D"):
        with pytest.raises(BadBody, match="no JSON"):
            check_json(b" " * (BLOCK_BYTES - offset) + f'["{half}"]'.encode())
        check_json(b" " * (BLOCK_BYTES - offset) + f'["{half}\\ude00"]'.encode())


@pytest.mark.parametrize("offset", range(12))
def test_an_escape_that_two_blocks_share_is_one_escape(offset: int) -> None:
    for document in (['\\"[[[['], ["[[", '\\\\"[[[['], ["\\\\\\", "]]]]"]):
        body = b" " * (BLOCK_BYTES - offset) + json.dumps(document).encode()
        check_json(body, depth=1)
        with pytest.raises(TooDeep):
            check_json(body + b"," + b"[" * 9, depth=1)


def test_an_escape_between_two_blocks_is_one_after_a_whole_character_was_named_too() -> None:
    first = b'["\\ud83d\\ude00'.ljust(BLOCK_BYTES, b"a")
    second = b"\\".rjust(BLOCK_BYTES, b"a")
    third = b"n".ljust(BLOCK_BYTES, b"a")
    with pytest.raises(TooDeep):
        check_json(first + second + third + b'",' + b"[" * 100)


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_document_or_a_coded_error(body: bytes) -> None:
    with contextlib.suppress(BadBody):
        parse_json(body)


@pytest.mark.parametrize("bracket", [b"[", b'{"a":', b'[{"":'])
@pytest.mark.parametrize("before", [b"", b'"\\""', b'"\\\\\\""', b'"' + b"\\\\" * 40_000 + b'"'])
def test_a_bomb_of_brackets_is_refused_whatever_stands_before_it(
    bracket: bytes, before: bytes
) -> None:
    body = b"[" + (before + b"," if before else b"") + bracket * 100_000
    with pytest.raises(TooDeep):
        parse_json(body)


def test_brackets_in_a_text_are_text() -> None:
    assert parse_json(b'"' + b"[" * 1_000 + b'"') == "[" * 1_000
    assert parse_json(json.dumps(["\\", '"' + "[" * 1_000]).encode())[0] == "\\"


def test_sixty_four_levels_are_enough_for_anybody() -> None:
    assert parse_json(b"[" * 64 + b"]" * 64)
    with pytest.raises(TooDeep):
        parse_json(b"[" * 65 + b"]" * 65)


def test_many_small_values_are_refused_before_they_take_thirty_times_their_size() -> None:
    body = b"[" + b"[]," * 8_000_000 + b"[]]"
    tracemalloc.start()
    with pytest.raises(TooManyValues):
        parse_json(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_json_in_an_encoding_that_hides_its_brackets_is_refused(encoding: str) -> None:
    with pytest.raises(BadBody):
        parse_json(("[" * 100 + "]" * 100).encode(encoding))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nul", b'{"a": NaN}', b'"\xff"', b"[1,]", b"1 2", b'{"a":1}x', b'"\\ud800"'],
)
def test_what_is_no_json_says_so(body: bytes) -> None:
    with pytest.raises(BadBody, match="no JSON"):
        parse_json(body)
