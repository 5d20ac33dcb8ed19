"""Documents cut into chunks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agents.memory.chunking import ChunkRules, chunks_of

RULES = ChunkRules(most=60, least=20, overlap=15)
TEXTS = st.text(alphabet=st.sampled_from("ab .\n#`|-!1\r\t。é"), max_size=400)


@given(TEXTS)
def test_chunks_say_where_they_are_and_are_as_small_as_the_rules_have_it(text: str) -> None:
    chunks = list(chunks_of(text, RULES))
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert chunk.text == text[chunk.first : chunk.last]
        assert chunk.text.strip() == chunk.text != ""
        assert len(chunk.text) <= RULES.most


@given(TEXTS.map(lambda text: text.replace("#", "+")))
def test_nothing_but_blanks_is_left_out_where_there_are_no_headings(text: str) -> None:
    covered = {at for chunk in chunks_of(text, RULES) for at in range(chunk.first, chunk.last)}
    assert all(text[at].isspace() for at in range(len(text)) if at not in covered)


@given(TEXTS)
def test_chunks_come_in_order_and_each_ends_later_than_the_one_before(text: str) -> None:
    chunks = list(chunks_of(text, RULES))
    for earlier, later in pairwise(chunks):
        assert earlier.first < later.first
        assert earlier.last < later.last


def test_headings_stand_above_their_text_until_one_of_their_level_follows() -> None:
    text = "before\n# A\none\n## B ##\ntwo\n### C\n# D\nthree\n"
    assert [(chunk.text, chunk.headings) for chunk in chunks_of(text)] == [
        ("before", ()),
        ("one", ("A",)),
        ("two", ("A", "B")),
        ("three", ("D",)),
    ]


def test_what_looks_like_a_heading_in_a_block_of_code_is_code() -> None:
    (chunk,) = chunks_of("# A\n```sh\n# no heading\n```\n")
    assert chunk.headings == ("A",)
    assert "# no heading" in chunk.text


def test_paragraphs_and_items_that_are_long_enough_are_chunks_of_their_own() -> None:
    thoughts = [f"{mark}The thought of number {n}." for n, mark in enumerate(("", "", "- ", "- "))]
    text = "{}\r\n\r\n{}\n{}\n{}".format(*thoughts)
    assert [chunk.text for chunk in chunks_of(text, RULES)][:2] == thoughts[:2]


def test_rows_of_a_table_are_not_cut() -> None:
    rows = [f"| row {n} of it | a value. And more |" for n in range(6)]
    chunks = list(chunks_of("\n".join(rows), RULES))
    assert [row for chunk in chunks for row in chunk.text.split("\n")] == rows


def test_a_long_paragraph_is_cut_after_a_sentence_and_the_next_chunk_overlaps_it() -> None:
    text = "One two three four five. Six seven eight. Nine ten eleven twelve thirteen fourteen."
    first, second = chunks_of(text, RULES)
    assert first.text == "One two three four five. Six seven eight."
    assert second.text == "seven eight. Nine ten eleven twelve thirteen fourteen."


def test_a_line_without_any_end_is_cut_all_the_same() -> None:
    chunks = list(chunks_of("a" * 1_000_000))
    assert all(len(chunk.text) <= 600 for chunk in chunks)
    assert chunks[-1].last == 1_000_000
