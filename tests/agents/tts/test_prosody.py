import math

import pytest

from agents.tts.prosody import FULL, NEUTRAL, TAGS, prosody_of
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
    assert prosody_of(emotion, 1.0)[:4] == pytest.approx(FULL[emotion][:4])
    assert prosody_of(emotion, 9.0) == prosody_of(emotion, 1.0)


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


@pytest.mark.parametrize(
    ("emotion", "intensity", "tag"),
    [
        ("sleepy", 0.01, "yawn"),
        ("silly", 0.01, "laugh"),
        ("happy", 0.79, ""),
        ("happy", 0.8, "chuckle"),
        ("excited", 0.79, ""),
        ("excited", 0.8, "gasp"),
        ("surprised", 0.49, ""),
        ("surprised", 0.5, "gasp"),
        ("sad", 0.39, ""),
        ("sad", 0.4, "sigh"),
        ("scared", 0.39, ""),
        ("scared", 0.4, "gasp"),
        ("angry", 0.29, ""),
        ("angry", 0.3, "groan"),
        ("love", 1.0, ""),
        ("neutral", 1.0, ""),
        ("curious", 1.0, ""),
        ("thinking", 1.0, ""),
        ("confused", 1.0, ""),
        ("tired", 0.5, "yawn"),
        ("happy", 9.0, "chuckle"),
        ("happy", math.nan, ""),
    ],
)
def test_a_feeling_that_is_strong_enough_begins_with_a_sound(
    emotion: str, intensity: float, tag: str
) -> None:
    assert prosody_of(emotion, intensity).tag == tag


def test_every_tag_is_one_that_the_model_knows() -> None:
    canonical = {"laugh", "chuckle", "sigh", "cough", "sniffle", "groan", "yawn", "gasp"}
    assert {tag for tag, _ in TAGS.values()} <= canonical
    assert set(TAGS) <= set(EMOTIONS)
