"""What is remembered of a speaker's voice."""

import pytest

from agents.stt.backends.cepstra import MEMORY_BYTES, Voice


def test_the_mean_is_that_of_all_the_sound_whatever_it_was_cut_into() -> None:
    short, long = Voice((1.0, 8.0), 100), Voice((4.0, 2.0), 200)
    assert short.joined(long) == Voice((3.0, 4.0), 300)


@pytest.mark.parametrize("known", [Voice(), Voice((1.0,), 100)])
def test_a_stranger_adds_nothing(known: Voice) -> None:
    assert known.joined(Voice()) == known
    assert Voice().joined(known) == known


def test_a_voice_that_changes_is_followed_however_long_the_old_one_spoke() -> None:
    voice = Voice((0.0,), 1_000 * MEMORY_BYTES)
    voice = voice.joined(Voice((1.0,), MEMORY_BYTES))
    assert voice.mean == (0.5,)


def test_a_voice_survives_the_wire() -> None:
    voice = Voice((1.5, -2.0), 32_000)
    assert Voice.unpacked(voice.packed()) == voice
    assert Voice.unpacked(Voice().packed()) == Voice()
