"""The microphone's way in: rate, order, bursts."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from hub.counters import Counters
from hub.edge.mic import Intake, MicTrack, Piece
from hub.edge.rate import TOLERANCE, AudioBucket
from tests.virtual_time import virtual


def test_a_bucket_lends_its_credit_once_and_earns_it_back_in_real_time() -> None:
    bucket = AudioBucket(now_s=100.0)
    assert bucket.take(5.0, 100.0)
    assert not bucket.take(0.02, 100.0)
    assert bucket.take(1.0, 101.0)
    assert not bucket.take(0.2, 101.0)
    assert bucket.take(5.0, 200.0)
    assert not bucket.take(0.02, 200.0)


def test_a_clock_that_steps_back_earns_nothing() -> None:
    bucket = AudioBucket(now_s=100.0, credit_s=1.0)
    assert bucket.take(1.0, 100.0)
    assert not bucket.take(0.1, 50.0)
    assert not bucket.take(0.1, 100.0)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), max_size=50))
def test_no_sequence_brings_more_than_real_time_and_the_credit(
    steps: list[tuple[float, float]],
) -> None:
    bucket, now, taken = AudioBucket(0.0), 0.0, 0.0
    for wait, audio in steps:
        now += wait
        taken += audio if bucket.take(audio, now) else 0.0
    assert taken <= 5.0 + now * TOLERANCE + 1e-6


def piece(first: int, samples: int, playout: int = -1) -> Piece:
    pcm = b"".join((n % 30_000).to_bytes(2, "little") for n in range(first, first + samples))
    return Piece(first, pcm, playout)


def test_repeated_and_late_samples_are_cut_off_and_a_gap_stays_a_gap() -> None:
    track = MicTrack()
    assert track.place(piece(0, 10)) == (piece(0, 10), 0)
    assert track.place(piece(0, 10)) == (None, 10)
    assert track.place(piece(6, 8, 100)) == (Piece(10, piece(10, 4).pcm, 104), 4)
    assert track.place(piece(20, 5)) == (piece(20, 5), 0)
    assert track.place(piece(14, 6)) == (None, 6)
    assert track.position == 25


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=30))
def test_whatever_comes_each_sample_is_let_through_at_most_once_in_order(
    pieces: list[tuple[int, int]],
) -> None:
    track = MicTrack()
    through: list[int] = []
    for first, samples in pieces:
        placed, _ = track.place(piece(first, samples))
        if placed is not None:
            assert placed.pcm == piece(placed.first_sample, len(placed.pcm) // 2).pcm
            through += range(placed.first_sample, placed.first_sample + len(placed.pcm) // 2)
    assert through == sorted(set(through))


@virtual
async def test_a_burst_is_handed_on_in_slices_a_second_at_a_time_and_its_end_after_it() -> None:
    taken: list[tuple[int, bytes, int]] = []
    ended = asyncio.Event()
    intake = Intake(lambda *args: taken.append(args), Counters(), playout_rate_hz=48_000)
    intake.feed(piece(0, 40_000, playout=7))
    intake.after(ended.set)
    assert sum(len(pcm) for _, pcm, _ in taken) == 2 * 16_000
    assert not ended.is_set()
    await ended.wait()
    assert b"".join(pcm for _, pcm, _ in taken) == piece(0, 40_000).pcm
    assert taken[1] == (1_600, piece(1_600, 1_600).pcm, 7 + 4_800)
    assert {len(pcm) for _, pcm, _ in taken} == {3_200}


@virtual
async def test_a_cleared_intake_hands_on_nothing_more() -> None:
    taken: list[int] = []
    intake = Intake(lambda first, *_: taken.append(first), Counters())
    intake.feed(piece(0, 48_000))
    intake.after(lambda: taken.append(-1))
    intake.clear()
    await asyncio.sleep(10)
    assert len(taken) == 10


@virtual
async def test_repeated_samples_are_counted() -> None:
    counters = Counters()
    intake = Intake(lambda *args: None, counters)
    intake.feed(piece(0, 10))
    intake.feed(piece(5, 10))
    assert counters.read() == {"mic_samples.repeated": 5}
