"""Where on a page is what bears a name."""

import pytest

from agents.vision.finding import MAX_BOXES, places
from agents.vision.seen import Line, Page, Word

HEIGHT = 20.0
LETTER = 10.0


def line(text: str, x: float, y: float = 100.0, sure: float = 1.0) -> Line:
    """A line whose letters are all ten pixels wide."""
    words, at = [], x
    for word in text.split(" "):
        end = at + LETTER * len(word)
        words.append(Word(word, at, y, end, y + HEIGHT, sure))
        at = end + LETTER
    return Line(Word(text, x, y, at - LETTER, y + HEIGHT, sure), tuple(words))


def found(name: str, *lines: Line) -> list[str]:
    return [box.text for box in places(Page(1280, 800, lines), name)]


def test_the_label_that_is_the_name_comes_before_one_that_only_holds_it() -> None:
    lines = (line("Save as...", 300), line("Save", 100), line("Do not Save", 600))
    assert found("Save", *lines) == ["Save"]
    assert found("save AS", *lines) == ["Save as..."]


def test_a_word_within_a_label_is_found_where_no_label_is_the_name() -> None:
    (box,) = places(Page(1280, 800, (line("Please Save now", 100),)), "save")
    assert (box.text, box.x, box.y) == ("Save", 190.0, 110.0)
    assert box.confidence < 1.0


@pytest.mark.parametrize("name", ["Open", "Safe", "Saved", "Sav", "a", "", " . "])
def test_a_name_that_is_not_there_has_no_place(name: str) -> None:
    boxes = places(Page(1280, 800, (line("Save", 100), line("Delete all", 300))), name)
    assert bool(boxes) is (not name)


def test_a_name_over_several_labels_of_one_line_is_joined() -> None:
    lines = (line("Sign", 100), line("up", 150), line("Sign", 100, 300), line("in", 150, 300))
    (box,) = places(Page(1280, 800, lines), "sign up")
    assert (box.text, box.x, box.y, box.width) == ("Sign up", 135.0, 110.0, 70.0)


@pytest.mark.parametrize(("x", "y"), [(100, 140), (400, 100), (60, 100)])
def test_labels_that_are_not_neighbours_are_not_joined(x: float, y: float) -> None:
    assert found("Sign up", line("Sign", 100), line("up", x, y)) == []


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Login", "Log1n"),
        ("File", "FiIe"),
        ("Send all", "Sendall"),
        ("Settings", "Settlngs"),
        ("OK", "0K"),
        ("Don't save", "Dont save"),
        ("Preferences", "Prefarences"),
        ("GRÖSSE", "grösse"),
    ],
)
def test_letters_that_readers_take_for_each_other_are_alike(name: str, read: str) -> None:
    assert found(name, line(read, 100)) == [read]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Yes", "Yet"),
        ("Delete", "Deleted"),
        ("On", "Off"),
        ("Upload", "Unload"),
        ("Insert", "Invert"),
    ],
)
def test_another_word_is_not_taken_for_a_misread_one(name: str, read: str) -> None:
    assert found(name, line(read, 100)) == []


def test_the_surest_comes_first_and_no_place_comes_twice() -> None:
    lines = (line("Save", 100, sure=0.7), line("Save", 400, sure=0.9))
    boxes = places(Page(1280, 800, lines), "Save")
    assert [box.x for box in boxes] == [420.0, 120.0]


def test_signs_are_names_too() -> None:
    assert found("+", line("+", 10), line("-", 90)) == ["+"]


def test_without_a_name_all_lines_are_answered_within_a_bound() -> None:
    many = [line("text", 10, 30.0 * i) for i in range(MAX_BOXES + 5)]
    assert len(found("", *many)) == MAX_BOXES
