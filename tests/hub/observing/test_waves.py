"""Waveforms: how loud it was, step by step, and nothing of what was said."""

import math
from array import array

from hub.observing.decimator import Decimator
from hub.observing.observatory import Observatory
from hub.observing.waves import MOST_STEPS, Waves
from hub.trace.entries import SpeechOut
from hub.trace.tap import Tap

STEP = 320


def tone(amplitude: float, samples: int = STEP) -> bytes:
    wave = (round(amplitude * math.sin(n / 3)) for n in range(samples))
    return array("h", wave).tobytes()


def test_louder_is_more_and_silence_is_nothing() -> None:
    waves = Waves()
    for amplitude in (0, 3, 300, 3_000, 32_767):
        waves.hear(tone(amplitude))
    mic, voice = waves.take()
    assert mic[0] == mic[1] == 0
    assert mic == sorted(mic)
    assert 100 < mic[3] < mic[4] <= 255
    assert voice == []
    assert not waves


def test_chunks_of_any_length_make_one_step_for_each_20_ms() -> None:
    waves = Waves()
    for chunk in (tone(900, 5 * STEP), b"", tone(900, 1), tone(900) + b"\0"):
        waves.hear(chunk)
    assert len(waves.take()[0]) == 6
    for _ in range(6):
        waves.hear(tone(900, STEP // 2))
    assert len(waves.take()[0]) == 3


def spoke(samples: int, energy: int, *, robot: str = "r1", rate_hz: int = 16_000) -> SpeechOut:
    return SpeechOut(
        n=1, t_ns=1, robot=robot, epoch=1, connection=1, frame_epoch=1, turn=1,
        first_sample=0, samples=samples, rate_hz=rate_hz, energy=energy,
    )  # fmt: skip


def test_frames_of_any_length_and_rate_make_one_step_for_each_20_ms_of_the_voice() -> None:
    for samples, rate_hz in ((STEP // 2, 16_000), (240, 24_000)):  # 10 ms, as on ``/converse``
        seen = Decimator("r1")
        for energy in (7, 9, 30, 20):
            seen.put(spoke(samples, energy, rate_hz=rate_hz))
        assert seen.take().voice == [9, 30]
    seen = Decimator("r1")
    for energy in (7, 9):
        seen.put(spoke(STEP * 3 // 2, energy))
    assert seen.take().voice == [7, 9, 9]


def test_whoever_does_not_look_keeps_no_more_than_two_seconds() -> None:
    waves = Waves()
    for n in range(MOST_STEPS * 3):
        waves.hear(tone(900))
        waves.speak(n % 256, 20)
    mic, voice = waves.take()
    assert len(mic) == len(voice) == MOST_STEPS
    assert waves.lost == 2 * 2 * MOST_STEPS
    assert voice[-1] == (MOST_STEPS * 3 - 1) % 256


def test_only_the_robot_that_is_watched_closely_has_a_waveform() -> None:
    close, afar = Decimator("r1"), Decimator()
    for robot, energy in (("r1", 7), ("r2", 9), ("r1", 8)):
        entry = spoke(STEP, energy, robot=robot)
        close.put(entry)
        afar.put(entry)
    assert close.take().voice == [7, 8]
    assert afar.take().voice == []


def test_microphones_are_handed_on_only_while_somebody_watches() -> None:
    tap = Tap(lambda: 1)
    observatory = Observatory(tap)
    first, second = Decimator("r1"), Decimator("r1")
    assert tap.ear is None
    observatory.listen("r1", first.hear)
    observatory.listen("r1", second.hear)
    assert tap.ear is not None
    tap.ear("r1", tone(900))
    tap.ear("r2", tone(900))
    assert len(first.take().mic) == len(second.take().mic) == 1
    observatory.ignore("r1", first.hear)
    tap.ear("r1", tone(900))
    assert first.take().mic == []
    observatory.ignore("r1", second.hear)
    assert tap.ear is None
