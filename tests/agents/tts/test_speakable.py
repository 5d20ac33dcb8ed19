import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tts.speakable import after_word, in_clauses, in_pieces, speakable


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello, world!", "Hello, world!"),
        ("<laugh> Hello <break time='3s'/> you", "Hello you"),
        ('<speak><prosody rate="x-fast">fast</prosody></speak>', "fast"),
        ("<?xml version='1.0'?><!-- secret -->Hi", "Hi"),
        ("*waves* **Really** good, see [here](http://x.org)", "Really good, see here"),
        ("[[h@'loU]] there", "h@'loU there"),
        ("Hi 😀👍🏽 you ❤️ and 👩‍👩‍👧 🇩🇪", "Hi you and"),
        ("one\n\n\ttwo\x00three\x1b[31m", "one two three 31m"),
        ("21 °C, 3 + 4 = 7, 5 € & 10 %", "21 °C, 3 + 4 = 7, 5 € & 10 %"),
        ("Ça va? Grüße, 你好", "Ça va? Grüße, 你好"),
        ("", ""),
        ("<laugh>", ""),
        ("... ?! – 😀", ""),
        ("\ud800 \u200d", ""),
    ],
)
def test_words_are_spoken_and_what_is_meant_for_engines_and_screens_is_not(
    text: str, spoken: str
) -> None:
    assert speakable(text) == spoken


@given(st.text(alphabet="abc. ,;<>/*[]()!?é😀\x00", max_size=60))
def test_nothing_that_could_be_markup_is_left(text: str) -> None:
    spoken = speakable(text)
    assert not set(spoken) & set("<>*[]😀\x00")
    assert spoken == " ".join(spoken.split())
    assert speakable(spoken) == spoken


@given(st.text(alphabet="ab. ,é", max_size=200), st.integers(1, 50))
def test_pieces_are_short_and_lose_no_character(text: str, most: int) -> None:
    pieces = in_pieces(text, most)
    assert all(0 < len(piece) <= most for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_pieces_end_with_sentences_where_they_can() -> None:
    assert in_pieces("One two. Three, four. Five six seven", 25) == [
        "One two. Three, four.",
        "Five six seven",
    ]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hi.", ["Hi."]),
        ("Well, here I am at last.", ["Well,", "here I am at last."]),
        ("Here I am, at last, after years.", ["Here I am,", "at last, after years."]),
        ("A clause that is too long, here.", ["A clause that is too long,", "here."]),
        (
            "no clause at all in a long line of words",
            ["no clause at all in a long", "line of words"],
        ),
        ("supercalifragilisticexpialidocious yes", ["supercalifragilisticexpialidocious", "yes"]),
        ("", []),
    ],
)
def test_a_text_is_cut_at_clauses_the_first_of_which_is_short(text: str, pieces: list[str]) -> None:
    assert in_clauses(text, 12, 26) == pieces


@given(st.text("ab ,.", max_size=300), st.integers(1, 40), st.integers(1, 80))
def test_clauses_hold_all_words_and_no_more_than_they_may(text: str, first: int, most: int) -> None:
    pieces = in_clauses(text, first, most)
    assert " ".join(pieces).split() == text.split()
    assert all(len(piece) <= max(first, most) or " " not in piece for piece in pieces)


@pytest.mark.parametrize(
    ("word", "rest"), [("end.", "."), ('"end."', '."'), ("3.5", ""), ("–", "–"), ("it's", "")]
)
def test_what_follows_a_word_is_its_punctuation(word: str, rest: str) -> None:
    assert after_word(word) == rest
