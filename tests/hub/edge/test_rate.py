"""A burst after a stall is no offence; a stream that outruns its own clock is."""

from hypothesis import given
from hypothesis import strategies as st

from hub.edge.rate import CREDIT_S, TOLERANCE, AudioBucket

CHUNK_S = 0.02


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 1)), max_size=60))
def test_a_stream_that_is_never_more_than_the_credit_ahead_of_real_time_is_never_cut(
    steps: list[tuple[float, float]],
) -> None:
    """Each step waits, then brings a share of what would put the stream a credit ahead: over no
    span of time does it bring more than that span and the credit."""
    bucket, now_s, ahead_s = AudioBucket(7.0), 7.0, 0.0
    for wait_s, share in steps:
        now_s += wait_s
        ahead_s = max(0.0, ahead_s - wait_s)
        audio_s = share * (CREDIT_S - ahead_s) * (1 - 1e-9)
        ahead_s += audio_s
        assert bucket.take(audio_s, now_s)


def test_four_seconds_at_once_after_a_stall_and_speech_that_goes_on_are_no_offence() -> None:
    bucket, now_s = AudioBucket(0.0), 0.0
    for _ in range(3):
        now_s += 4.0
        assert all(bucket.take(CHUNK_S, now_s) for _ in range(200))
        for _ in range(50):
            now_s += CHUNK_S
            assert bucket.take(CHUNK_S, now_s)


def test_a_hundred_times_real_time_is_cut_within_a_moment() -> None:
    bucket, now_s, brought_s = AudioBucket(0.0), 0.0, 0.0
    while bucket.take(CHUNK_S, now_s):
        now_s += CHUNK_S / 100
        brought_s += CHUNK_S
    assert brought_s <= CREDIT_S + TOLERANCE * now_s + CHUNK_S
    assert now_s < 0.1
