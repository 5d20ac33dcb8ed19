import math

import pytest

from agents.tts.prosody import FULL, NEUTRAL, prosody_of
from protocols.vocabulary import EMOTIONS


def test_every_emotion_has_a_sound() -> None:
    assert set(FULL) == set(EMOTIONS)
    assert len(set(FULL.values())) == len(EMOTIONS)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_without_intensity_every_emotion_sounds_neutral(emotion: str) -> None:
    assert prosody_of(emotion, 0.0) == NEUTRAL
    assert prosody_of(emotion, math.nan) == NEUTRAL
    assert prosody_of(emotion, -3) == NEUTRAL


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_at_full_intensity_and_beyond_the_table_holds(emotion: str) -> None:
    assert prosody_of(emotion, 1.0) == pytest.approx(FULL[emotion])
    assert prosody_of(emotion, 9.0) == pytest.approx(FULL[emotion])


def test_half_the_intensity_is_half_the_effect() -> None:
    assert prosody_of("sad", 0.5).rate == pytest.approx(0.9)


def test_sadness_is_slow_and_low_and_excitement_fast_and_high() -> None:
    sad, excited = prosody_of("sad", 1), prosody_of("excited", 1)
    assert sad.rate < 1 < excited.rate
    assert sad.pitch < 0 < excited.pitch


@pytest.mark.parametrize("emotion", ["", "furious", "😀"])
def test_unknown_emotions_sound_neutral(emotion: str) -> None:
    assert prosody_of(emotion, 1.0) == NEUTRAL


def test_aliases_sound_like_what_they_mean() -> None:
    assert prosody_of("tired", 1.0) == prosody_of("sleepy", 1.0)
