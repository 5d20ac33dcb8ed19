import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tts.speakable import in_pieces, speakable


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
