"""Words and the playhead: what was heard, and whether a claim about it is true."""

import pytest

from protocols.messages.robot import SpeechText
from protocols.messages.speech import WordMark
from robot_sim.captions import Captions, is_heard_prefix

WORDS = [
    WordMark("Once", 0, 200),
    WordMark("upon", 220, 400),
    WordMark("a", 400, 460),
    WordMark("time,", 480, 900),
]


def test_words_are_heard_when_they_end_and_begun_when_they_start() -> None:
    captions = Captions()
    captions.add(SpeechText(turn=1, phrase=1, text="there", words=(WordMark("there", 950, 1200),)))
    captions.add(SpeechText(turn=1, phrase=0, text="Once upon a time,", words=tuple(WORDS)))
    assert captions.heard(1, 899) == ["Once", "upon", "a"]
    assert captions.begun(1, 899) == ["Once", "upon", "a", "time,"]
    assert captions.heard(1, 5000) == ["Once", "upon", "a", "time,", "there"]
    assert captions.heard(2, 5000) == []


def test_a_filler_before_the_answer_is_no_part_of_it() -> None:
    captions = Captions()
    captions.add(SpeechText(turn=1, phrase=0, text="Hm.", words=(WordMark("Hm.", 0, 90),)))
    captions.add(SpeechText(turn=1, phrase=1, text="Once upon a time,", words=tuple(WORDS)))
    assert captions.answer(1, "Once upon a time, there was …") == WORDS


@pytest.mark.parametrize(
    ("heard", "played_ms", "true"),
    [
        ("Once upon", 420, True),
        ("once upon", 420, True),
        ("Once upon a", 420, True),
        ("Once", 420, True),
        ("Once", 481, False),
        ("Once upon a time", 420, False),
        ("", 100, True),
        ("", 300, False),
        ("Once upon a time,", 5000, True),
        ("Once upon a", 5000, False),
        ("Once upon time,", 5000, False),
        ("upon a", 420, False),
    ],
)
def test_a_heard_text_must_be_what_was_played_within_80_ms(
    heard: str, played_ms: float, true: bool
) -> None:
    assert is_heard_prefix(heard, WORDS, played_ms, 80) is true


def test_where_nothing_was_said_nothing_was_heard() -> None:
    assert is_heard_prefix("", [], 0, 80)
    assert not is_heard_prefix("hello", [], 0, 80)
