"""The face's figures: a mouth that lags is seen to lag, and what did not happen is no success."""

import math

import pytest

from benchmarks.face import Times, rows_of
from benchmarks.face_watch import CLOSED, Deed, Spoken, WatchedFace, skews_ms
from protocols.messages.face import Conversation

MS = 1_000_000
RATE_HZ, FRAME_MS, SAMPLES = 16_000, 20, 320
BEGAN_NS = 5_000 * MS


def frames(energies: list[int]) -> list[Spoken]:
    return [Spoken(1, n * SAMPLES, SAMPLES, energy) for n, energy in enumerate(energies)]


def mouth(energies: list[int], lag_ms: int, every: int = 1) -> list[Deed]:
    """A mouth that shows every ``every``-th frame, ``lag_ms`` after it begins to sound."""
    shown = list(enumerate(energies))[::every]
    return [Deed(BEGAN_NS + (n * FRAME_MS + lag_ms) * MS, energy) for n, energy in shown]


def p95(skews: list[float]) -> float:
    return sorted(skews)[round(0.95 * (len(skews) - 1))]


RISING = list(range(10, 110))
SPEECH = [round(100 + 90 * math.sin(n / 3) + 10 * math.sin(n)) for n in range(200)]


@pytest.mark.parametrize("energies", [RISING, SPEECH])
@pytest.mark.parametrize(("lag_ms", "skew"), [(0, 0), (15, 14), (60, 59)])
def test_a_mouth_that_lags_is_off_by_so_much(energies: list[int], lag_ms: int, skew: int) -> None:
    skews = skews_ms(frames(energies), BEGAN_NS, RATE_HZ, mouth(energies, lag_ms))
    assert len(skews) > 1_500
    assert p95(skews) == pytest.approx(skew, abs=1)


def test_a_mouth_that_is_early_is_off_as_well() -> None:
    assert p95(skews_ms(frames(RISING), BEGAN_NS, RATE_HZ, mouth(RISING, -60))) >= 40


def test_a_mouth_that_shows_every_third_frame_is_off_by_two() -> None:
    skews = skews_ms(frames(RISING), BEGAN_NS, RATE_HZ, mouth(RISING, 0, every=3))
    assert max(skews) == pytest.approx(2 * FRAME_MS, abs=1)


def test_a_mouth_that_stays_open_falls_behind() -> None:
    stuck = mouth(RISING, 0)[:10]
    assert p95(skews_ms(frames(RISING), BEGAN_NS, RATE_HZ, stuck)) > 1_000


def test_a_steady_loudness_is_one_frame_however_long() -> None:
    steady = [90] * 100
    skews = skews_ms(frames(steady), BEGAN_NS, RATE_HZ, mouth(steady, 10)[:1])
    assert max(skews) == 0


def test_a_watched_face_notes_what_changes_and_when() -> None:
    face = WatchedFace()
    face.converse(Conversation.IDLE)
    face.talk(50, 1)
    face.talk(50, 2)
    face.hush()
    face.hush()
    face.converse(Conversation.THINKING)
    assert [deed.what for deed in face.deeds] == [50, CLOSED, Conversation.THINKING]
    assert face.first(0, lambda what: what == CLOSED) == face.deeds[1].at_ns
    assert face.first(face.deeds[2].at_ns + 1, lambda what: True) is None


def test_what_was_never_measured_is_missed() -> None:
    nothing = Times([], [], [], [], [], [], [], [])
    assert {row.ok for row in rows_of(nothing)} == {False}
    late = Times([700.0], [50.0], [150.0], [float("inf")], [20.0], [10.0, 200.0], [0.0] * 99, [3.0])
    verdicts = [row.ok for row in rows_of(late)]
    assert verdicts == [False, True, True, False, True, True, False]
