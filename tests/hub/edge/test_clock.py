"""What the hub believes of a robot's clock always holds, and it notices when it cannot."""

from hypothesis import given
from hypothesis import strategies as st

from hub.edge.clock import DRIFT_PPM, KEPT, ClockFilter, Reading, Sampled

_MS = 1_000_000
WAYS = st.just(0) | st.integers(0, 2_000 * _MS)
PAUSES = st.integers(0, 60_000 * _MS)
EXCHANGES = st.lists(st.tuples(PAUSES, WAYS, st.integers(0, 50 * _MS), WAYS), min_size=1)


class Robot:
    """A clock that is ``ahead`` of the hub's at its 0 and runs ``ppm`` too fast."""

    def __init__(self, ahead_ns: int, ppm: int) -> None:
        self._ahead_ns, self._ppm = ahead_ns, ppm

    def shows(self, hub_ns: int) -> int:
        return hub_ns + self._ahead_ns + hub_ns * self._ppm // 1_000_000

    def answer(self, sent_ns: int, there: int, inside: int, back: int) -> tuple[int, int, int, int]:
        """The four times of a ping whose ways take ``there`` and ``back``."""
        came, left = sent_ns + there, sent_ns + there + inside
        return sent_ns, self.shows(came), self.shows(left), left + back


@given(
    st.integers(-(10**18), 10**18), st.integers(-DRIFT_PPM + 1, DRIFT_PPM - 1), EXCHANGES, PAUSES
)
def test_the_true_offset_is_within_the_bound_whatever_the_ways_take(
    ahead_ns: int, ppm: int, exchanges: list[tuple[int, int, int, int]], later: int
) -> None:
    robot, clock, now = Robot(ahead_ns, ppm), ClockFilter(), 0
    for pause, there, inside, back in exchanges:
        times = robot.answer(now + pause, there, inside, back)
        now = times[3]
        assert clock.add(*times) in (Sampled.BEST, Sampled.KEPT)
        assert clock.reading is not None
        for moment in (now, now + later):
            error = abs(robot.shows(moment) - clock.reading.robot_time(moment))
            assert error <= clock.reading.error_at(moment) + 2  # two roundings to a nanosecond


def test_the_shortest_round_trip_counts_and_its_age_widens_the_bound() -> None:
    clock = ClockFilter()
    clock.add(0, 1_000 * _MS + 9 * _MS, 1_000 * _MS + 9 * _MS, 10 * _MS)
    assert clock.add(20 * _MS, 1_021 * _MS, 1_021 * _MS, 22 * _MS) is Sampled.BEST
    assert clock.add(30 * _MS, 1_031 * _MS, 1_031 * _MS, 40 * _MS) is Sampled.KEPT
    assert clock.reading == Reading(1_000 * _MS, _MS + 400, 2 * _MS, 22 * _MS)
    assert clock.reading.error_at(22 * _MS + 1_000 * _MS) == _MS + 400 + 200_000


def test_an_old_sample_is_forgotten_after_sixteen_newer_ones() -> None:
    clock = ClockFilter()
    clock.add(0, 0, 0, 2)
    for n in range(1, KEPT + 1):
        at = n * 1_000 * _MS
        clock.add(at, at + 5 * _MS, at + 5 * _MS, at + 10 * _MS)
    assert clock.reading is not None
    assert clock.reading.rtt_ns == 10 * _MS


def test_a_clock_that_jumped_is_found_out_and_what_was_known_is_forgotten() -> None:
    robot, jumped, clock = Robot(0, 0), Robot(30_000 * _MS, 0), ClockFilter()
    clock.add(*robot.answer(0, _MS, 0, _MS))
    assert clock.add(*jumped.answer(2_000 * _MS, 40 * _MS, 0, _MS)) is Sampled.STEPPED
    assert clock.reading is not None
    assert abs(clock.reading.offset_ns - 30_000 * _MS) <= clock.reading.error_ns


def test_times_that_cannot_be_are_refused() -> None:
    clock = ClockFilter()
    for times in ((10, 5, 4, 20), (10, 5, 5, 9), (10, 5, 50, 20)):
        assert clock.add(*times) is Sampled.IMPOSSIBLE
    assert clock.reading is None
