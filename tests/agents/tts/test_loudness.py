import numpy as np
import pytest

from agents.tts.loudness import ATTACK, RELEASE, Loudness, quieter


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


@pytest.mark.parametrize(
    ("volume", "level"), [(1.0, 0.5), (0.5, 0.25), (0.0, 0.0), (2.0, 0.5), (float("nan"), 0.0)]
)
def test_a_volume_is_a_factor_that_makes_nothing_louder(volume: float, level: float) -> None:
    samples = np.frombuffer(quieter(square(0.5), volume), dtype="<i2")
    assert samples == pytest.approx(level * 32768, abs=1)
    assert len(quieter(square(-1.0), volume)) == len(square(-1.0))
