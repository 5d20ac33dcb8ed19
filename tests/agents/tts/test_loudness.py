import numpy as np
import pytest

from agents.tts.loudness import ATTACK, RELEASE, Loudness


def square(level: float, samples: int = 1600) -> bytes:
    return np.full(samples, round(level * 32768), dtype="<i2").tobytes()


def test_silence_is_zero_and_no_samples_are_silence() -> None:
    assert Loudness().of(square(0)) == 0
    assert Loudness().of(b"") == 0


def test_it_rises_by_the_attack_and_falls_by_the_release() -> None:
    loudness = Loudness()
    assert loudness.of(square(0.5)) == round(110 * ATTACK)
    assert loudness.of(square(0)) == round(110 * ATTACK * (1 - RELEASE))


@pytest.mark.parametrize("level", [0.1, 0.5, -1.0])
def test_a_steady_sound_settles_at_its_rms(level: float) -> None:
    loudness = Loudness()
    for _ in range(30):
        energy = loudness.of(square(level))
    assert energy == pytest.approx(abs(level) * 220, abs=1)
    assert 0 <= energy <= 255
