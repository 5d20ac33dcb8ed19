"""Names, words of queries, fused rankings, and bytes read as texts."""

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.memory.errors import BadName, BadTexts, NotText
from agents.memory.fusion import fuse
from agents.memory.names import MAX_TAG_CHARS, checked_base, checked_document, tag_of
from agents.memory.texts import text_of, texts_of
from agents.memory.words import match_of

RANKINGS = st.lists(st.lists(st.integers(0, 20), unique=True, max_size=15), min_size=1, max_size=3)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "x" * 65, "ä", "a\n", "words;--"])
def test_a_bad_name_of_a_base_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        checked_base(name)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "two\nlines"])
def test_a_bad_name_of_a_document_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        checked_document(name)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("  Red   Ball ", "red ball"),
        ("jean-luc", "jean-luc"),
        ("anna's bear", "anna's bear"),
        ("Straße", "strasse"),
        ("恐竜", "恐竜"),
        ("", None),
        ("what do you mean by that", None),
        ("Hello. I am here", None),
        ("x" * (MAX_TAG_CHARS + 1), None),
        ("<b>", None),
        ("a\x00b", None),
    ],
)
def test_a_tag_names_something_and_is_no_sentence(text: str, tag: str | None) -> None:
    assert tag_of(text) == tag


@given(st.text(max_size=80))
def test_no_query_is_read_as_the_language_of_the_index(query: str) -> None:
    match = match_of(query)
    if not match:
        return
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE words USING fts5 (name, text)")
    db.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,)).fetchall()
    db.close()


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("What is the ball?", '"ball"'),
        ("what is it", '"what" OR "is" OR "it"'),
        ('AND OR "x* NEAR(name:y', '"x" OR "near name y" OR "near" OR "name"'),
        ("HUB_GUARD in 0.1.0", '"hub guard" OR "hub" OR "guard" OR "0 1 0"'),
        ("the robot's wheel", '"robot" OR "wheel"'),
        ("?!", ""),
    ],
)
def test_frequent_words_count_only_if_there_are_no_others(query: str, match: str) -> None:
    assert match_of(query) == match


@given(RANKINGS)
def test_a_fused_score_is_a_share_and_falls(rankings: list[list[int]]) -> None:
    fused = fuse(rankings)
    assert {one.item for one in fused} == {item for ranking in rankings for item in ranking}
    scores = [one.score for one in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_what_is_first_everywhere_has_all_of_the_score() -> None:
    assert fuse([[7, 1], [7, 2]])[0] == (7, 1.0)


def test_the_formula_is_that_of_the_paper() -> None:
    scores = dict(fuse([[1, 2, 3], [3, 4]]))
    assert scores[3] == pytest.approx((1 / 63 + 1 / 61) / (2 / 61))
    assert scores[4] == pytest.approx((1 / 62) / (2 / 61))


def test_of_equals_the_earlier_ranking_decides() -> None:
    assert [one.item for one in fuse([[1, 2], [2, 1]])] == [1, 2]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"good \xc3", b"nul \x00 byte"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(NotText):
        text_of(data)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert text_of(b"\xef\xbb\xbfhello") == "hello"


@pytest.mark.parametrize(
    "texts", [{}, [], ["ok", ""], ["ok", 1], ["x" * 40_000], ["x"] * 3_000, "text"]
)
def test_what_is_no_list_of_texts_is_refused(texts: object) -> None:
    with pytest.raises(BadTexts):
        texts_of(json.dumps(texts).encode())


def test_json_that_is_deep_or_broken_is_refused() -> None:
    for data in (b"[" * 1_000_000, b"\xff", b'["\xff"]', b""):
        with pytest.raises(BadTexts):
            texts_of(data)
