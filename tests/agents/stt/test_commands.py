"""When the command grammar is believed."""

import pytest

from agents.stt.backends.commands import GRAMMAR, choose, distance, longest_sentence, sentences

PHONEMES = {
    "find": "F AY N D", "the": "DH AH", "red": "R EH D", "ball": "B AO L", "bull": "B UH L",
    "stop": "S T AA P", "scoff": "S K AO F", "what": "W AH T", "can": "K AE N", "you": "Y UW",
    "do": "D UW", "for": "F AO R", "me": "M IY", "please": "P L IY Z", "why": "W AY",
    "is": "IH Z", "sky": "S K AY", "blue": "B L UW", "cup": "K AH P",
}  # fmt: skip
PATTERN = sentences(GRAMMAR.read_text())


@pytest.mark.parametrize(
    ("dictated", "commanded", "best"),
    [
        ("find the red bull", "find the red ball", "find the red ball"),
        ("scoff", "stop", "stop"),
        ("what can you do for me", "what can you do please", "what can you do for me"),
        ("why is the sky blue", "find the blue cup please", "why is the sky blue"),
        ("why is the sky blue", "", "why is the sky blue"),
        ("", "stop", ""),
    ],
)
def test_a_command_wins_where_it_sounds_like_the_dictation(
    dictated: str, commanded: str, best: str
) -> None:
    assert choose(dictated, commanded, lambda word: PHONEMES[word].split()) == best


def test_alike_phonemes_are_half_as_far_apart() -> None:
    assert distance(["B", "AO", "L"], ["B", "UH", "L"]) == 0.5
    assert distance(["B", "AO", "L"], ["B", "L"]) == 1.0
    assert distance([], ["B", "L"]) == 2.0


@pytest.mark.parametrize(
    ("heard", "sentence"),
    [
        ("hey robot please turn around and look up", "hey robot please turn around and look up"),
        ("go forward two meters", "go forward two meters"),
        ("where is the ball my", "where is the ball"),
        ("hello i", "hello"),
        ("sailor moon", ""),
        ("", ""),
    ],
)
def test_a_broken_off_command_is_cut_to_a_sentence(heard: str, sentence: str) -> None:
    assert longest_sentence(heard, PATTERN) == sentence
