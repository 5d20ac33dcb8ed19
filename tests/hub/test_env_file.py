"""Settings written into a ``.env`` that people write too."""

import io

import pytest
from dotenv import dotenv_values
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.env_file import broken_line, merged, names_in

HEADING = "robot-hub setup"


def values(text: str) -> dict[str, str | None]:
    return dict(dotenv_values(stream=io.StringIO(text), interpolate=False))


@pytest.mark.parametrize(
    ("before", "settings", "after"),
    [
        ("", {"A": "1", "B": "2"}, "# robot-hub setup\nA=1\nB=2\n"),
        ("A=1\n", {"A": "1"}, "A=1\n"),
        ("# mine\nX=1", {"A": "2"}, "# mine\nX=1\n\n# robot-hub setup\nA=2\n"),
        ("A=\nB=1\n", {"A": "2"}, "A=2\nB=1\n"),
        ("A\nB=1\n", {"A": "2"}, "A=2\nB=1\n"),
        ("#A=7\n", {"A": "2"}, "#A=7\n\n# robot-hub setup\nA=2\n"),
        ("A=1 # why\n", {"B": "x y"}, "A=1 # why\n\n# robot-hub setup\nB='x y'\n"),
        ("", {}, ""),
        ("A='one\nB=two'\n", {"B": "2"}, "A='one\nB=two'\n\n# robot-hub setup\nB=2\n"),
    ],
)
def test_what_is_missing_comes_at_the_end_and_the_rest_stays(
    before: str, settings: dict[str, str], after: str
) -> None:
    new = merged(before, settings, HEADING)

    assert (new.text, new.kept) == (after, {})


@pytest.mark.parametrize(
    ("before", "forced"),
    [
        ("A=1\n", "A=2\n"),
        ("# why\n\nexport A=1 # so\nB=3\n", "# why\n\nA=2\nB=3\n"),
        ("a=1\n", "A=2\n"),
        ("A=0\nA=1\n", "A=0\nA=2\n"),
        ("A='one\ntwo'\nB=3\n", "A=2\nB=3\n"),
    ],
)
def test_a_value_that_stands_there_stays_unless_forced(before: str, forced: str) -> None:
    new = merged(before, {"A": "2"}, HEADING)

    assert new.text == before
    assert new.kept.keys() == {"A"}
    assert merged(before, {"A": "2"}, HEADING, force=True).text == forced


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z_]{0,8}", fullmatch=True), st.text("ab '\"\\#=$.", max_size=9)
    ),
    st.text("AB=1#'\"\n x", max_size=60),
)
def test_what_was_written_is_read_again_and_no_line_is_lost(
    settings: dict[str, str], before: str
) -> None:
    assume(not broken_line(before))

    new = merged(before, settings, HEADING)

    read = values(new.text)
    assert {n: read[n] for n in settings if n not in new.kept} == {
        n: v for n, v in settings.items() if n not in new.kept
    }
    assert merged(new.text, settings, HEADING).text == new.text


def test_names_without_a_value_are_not_there() -> None:
    assert names_in("A=1\n# B=2\nC=\nd=4\nnonsense here\n") == {"A", "D"}


@pytest.mark.parametrize(
    ("text", "line"), [("A=1\n", 0), ("A=1\nno setting at all\n", 2), ("A=1\n\nB='x\nC=2\n", 3)]
)
def test_a_line_that_nobody_can_read_is_named(text: str, line: int) -> None:
    assert broken_line(text) == line
