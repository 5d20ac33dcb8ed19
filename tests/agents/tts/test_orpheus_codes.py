import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tts.orpheus_codes import (
    AFTER,
    AUDIO_TOKENS,
    BASE,
    BEFORE,
    CODES,
    END_OF_SPEECH,
    FIRST_CODE,
    FRAME_TOKENS,
    START_OF_SPEECH,
    Frame,
    Frames,
    Stretch,
    Window,
    code_of,
    layers_of,
    most_tokens,
    prompt_of,
)


def tokens_of(frame: Frame) -> list[int]:
    return [FIRST_CODE + CODES * at + code for at, code in enumerate(frame)]


@pytest.mark.parametrize(
    ("token", "position", "code"),
    [
        (BASE + 10, 0, 0),
        (BASE + 10 + 4095, 0, 4095),
        (BASE + 10 + 4096, 0, None),
        (BASE + 10 + 4096, 1, 0),
        (BASE + 9, 0, None),
        (BASE + 10 + 6 * 4096 + 17, 6, 17),
        (BASE + 10 + 6 * 4096 + 17, 5, None),
        (END_OF_SPEECH, 0, None),
        (0, 0, None),
    ],
)
def test_a_token_means_a_code_at_its_place_only(
    token: int, position: int, code: int | None
) -> None:
    assert code_of(token, position) == code


def test_the_prompt_is_the_one_that_the_model_was_trained_with() -> None:
    assert prompt_of([1, 2]) == [128259, 128000, 1, 2, 128009, 128260, 128261, 128257]


def test_what_may_be_drawn_is_audio_or_its_end() -> None:
    assert len(AUDIO_TOKENS) == 7 * 4096 + 1
    assert (AUDIO_TOKENS[0], AUDIO_TOKENS[-2], AUDIO_TOKENS[-1]) == (128266, 156937, 128258)


def test_seven_tokens_are_a_frame_however_they_come() -> None:
    frames = Frames()
    one, other = tuple(range(7)), tuple(range(10, 17))
    tokens = tokens_of(one) + tokens_of(other)
    assert frames.add(tokens[:3]) == []
    assert frames.add(tokens[3:9]) == [one]
    assert frames.add(tokens[9:]) == [other]
    assert frames.invalid == 0


def test_what_is_no_code_at_its_place_is_skipped_and_counted() -> None:
    frames = Frames()
    frame = tuple(range(7))
    tokens = tokens_of(frame)
    noisy = [START_OF_SPEECH, *tokens[:2], 42, tokens[5], *tokens[2:], END_OF_SPEECH]
    assert frames.add(noisy) == [frame]
    assert frames.invalid == 3


def test_a_code_that_is_missing_costs_no_more_than_a_frame() -> None:
    frames = Frames()
    frame = tuple(range(7))
    tokens = tokens_of(frame)
    broken = [*tokens[:2], *tokens[3:]]
    found = frames.add([*broken, *tokens, *tokens])
    assert found == [frame, frame]
    assert frames.invalid == 4 + 2


def test_codes_go_to_the_layers_of_the_codec() -> None:
    frames = [(0, 1, 2, 3, 4, 5, 6), (10, 11, 12, 13, 14, 15, 16)]
    assert layers_of(frames) == ([0, 10], [1, 4, 11, 14], [2, 3, 5, 6, 12, 13, 15, 16])


def frame(number: int) -> Frame:
    return (number,) * FRAME_TOKENS


def test_a_frame_is_decoded_when_those_after_it_are_there() -> None:
    window = Window()
    assert window.add([frame(0)]) is None
    assert window.add([frame(1)]) is None
    assert window.add([frame(2)]) == Stretch((frame(0), frame(1), frame(2)), 0, 1)
    assert window.add([frame(3)]) == Stretch(tuple(map(frame, range(4))), 1, 1)
    assert window.add([frame(4), frame(5)]) == Stretch(tuple(map(frame, range(1, 6))), 1, 2)
    assert window.finish() == Stretch(tuple(map(frame, range(3, 6))), 1, 2)
    assert window.finish() is None


@given(st.lists(st.integers(0, 5), max_size=30))
def test_every_frame_is_given_out_once_in_order_amid_its_neighbours(sizes: list[int]) -> None:
    window, given_out, number = Window(), [], 0
    for size in [*sizes, None]:
        if size is None:
            stretch = window.finish()
        else:
            stretch = window.add([frame(number + at) for at in range(size)])
            number += size
        if stretch is None:
            continue
        new = stretch.frames[stretch.first : stretch.first + stretch.new]
        before, after = stretch.first, len(stretch.frames) - stretch.first - stretch.new
        assert before == min(BEFORE, len(given_out))
        assert after == (0 if size is None else AFTER)
        given_out += new
    assert given_out == [frame(at) for at in range(number)]


def test_a_text_may_be_spoken_for_as_long_as_it_needs_and_not_for_ever() -> None:
    assert most_tokens("Hi.", 15) == int((2 * 0.07 * 2.5 + 2) * 24_000 / 2_048) * 7
    assert most_tokens("word " * 500, 15) == int(15 * 24_000 / 2_048) * 7
    assert most_tokens("word", 0.01) == 7
