"""The loudspeaker that counts."""

from protocols.identity import Stamp
from protocols.messages.robot import Flushed, Played, SpeechFrame
from robot_sim.load.loudspeaker import Arrival, CountingLoudspeaker

MS = 1_000_000


def frame(turn: int, first_ms: int, ms: int = 20) -> SpeechFrame:
    return SpeechFrame(epoch=1, turn=turn, first_sample=16 * first_ms, samples=16 * ms)


def spoken_to(ms: int, turn: int = 1) -> CountingLoudspeaker:
    """One that has received ``ms`` milliseconds of a turn at time 0."""
    loudspeaker = CountingLoudspeaker(16_000)
    for first_ms in range(0, ms, 20):
        assert loudspeaker.feed(frame(turn, first_ms), 0) is Arrival.PLAYED
    return loudspeaker


def played(loudspeaker: CountingLoudspeaker, ms: int) -> int:
    return loudspeaker.position(ms * MS) // 16


def test_it_plays_in_real_time_as_far_as_it_has_received() -> None:
    loudspeaker = spoken_to(300)

    assert [played(loudspeaker, ms) for ms in (0, 100, 299, 500)] == [0, 100, 299, 300]
    assert loudspeaker.playing(500 * MS)
    loudspeaker.finish(1, 16 * 300)
    assert not loudspeaker.playing(500 * MS)


def test_a_buffer_that_ran_dry_is_counted_and_goes_on_when_more_comes() -> None:
    loudspeaker = spoken_to(100)

    loudspeaker.feed(frame(1, 100, 200), 150 * MS)

    assert loudspeaker.underruns == 1
    assert [played(loudspeaker, ms) for ms in (150, 200, 400)] == [100, 150, 300]


def test_sound_that_comes_in_time_is_no_underrun() -> None:
    loudspeaker = spoken_to(100)

    loudspeaker.feed(frame(1, 100), 99 * MS)

    assert loudspeaker.underruns == 0


def test_held_it_stands_still_and_released_it_goes_on_from_there() -> None:
    loudspeaker = spoken_to(300)

    loudspeaker.hold(1, 100 * MS)
    assert played(loudspeaker, 500) == 100
    loudspeaker.release(1, 600 * MS)

    assert [played(loudspeaker, ms) for ms in (600, 650, 900)] == [100, 150, 300]
    assert loudspeaker.underruns == 0


def test_after_a_flush_nothing_of_that_turn_is_taken() -> None:
    loudspeaker = spoken_to(300)

    flushed = loudspeaker.flush(Stamp(1, 1), 100 * MS)

    assert flushed == Flushed(epoch=1, turn=1, samples=1600)
    assert loudspeaker.feed(frame(1, 300), 110 * MS) is Arrival.FENCED
    assert loudspeaker.report(1, 300 * MS) is None
    assert not loudspeaker.playing(110 * MS)
    assert loudspeaker.feed(frame(2, 0), 120 * MS) is Arrival.PLAYED


def test_what_is_missing_repeated_or_of_an_older_turn_is_told_apart() -> None:
    loudspeaker = spoken_to(100, turn=2)

    assert loudspeaker.feed(frame(2, 0), 0) is Arrival.REPEATED
    assert loudspeaker.feed(frame(1, 100), 0) is Arrival.LATE
    assert loudspeaker.feed(frame(2, 140), 0) is Arrival.GAP
    assert loudspeaker.received == 16 * 160


def test_it_reports_every_100_ms_and_the_end_at_once() -> None:
    loudspeaker = spoken_to(240)
    loudspeaker.finish(1, 16 * 240)

    reports = [loudspeaker.report(7, ms * MS) for ms in range(0, 400, 20)]

    assert [report for report in reports if report] == [
        Played(epoch=7, turn=1, samples=16 * ms) for ms in (100, 200, 240)
    ]


def test_a_dropped_buffer_will_not_be_played() -> None:
    loudspeaker = spoken_to(300)

    loudspeaker.drop(100 * MS)

    assert played(loudspeaker, 1000) == 100
    assert not loudspeaker.playing(100 * MS)
