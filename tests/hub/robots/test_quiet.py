"""Quiet hours, over midnight and changes of clocks."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.robots.profile import RobotProfile
from hub.robots.quiet import QuietHours, quiet_hours_of

NIGHT = quiet_hours_of("21:00-07:00")
NOON = quiet_hours_of("12:30 - 14:00")


@pytest.mark.parametrize(
    ("hours", "clock", "quiet"),
    [
        (NIGHT, time(20, 59, 59), False),
        (NIGHT, time(21, 0), True),
        (NIGHT, time(23, 59, 59), True),
        (NIGHT, time(0, 0), True),
        (NIGHT, time(6, 59, 59), True),
        (NIGHT, time(7, 0), False),
        (NIGHT, time(12, 0), False),
        (NOON, time(12, 29), False),
        (NOON, time(12, 30), True),
        (NOON, time(14, 0), False),
        (NOON, time(0, 0), False),
        (quiet_hours_of("22:00-00:00"), time(23, 0), True),
        (quiet_hours_of("22:00-00:00"), time(0, 0), False),
        (quiet_hours_of("00:00-06:00"), time(0, 0), True),
    ],
)
def test_quiet_hours_begin_and_end_on_their_minute(
    hours: QuietHours, clock: time, quiet: bool
) -> None:
    assert hours.cover(clock) is quiet


@pytest.mark.parametrize("text", ["21-7", "21:00", "25:00-07:00", "21:00-07:60", "7:00-07:00", "x"])
def test_what_is_no_two_times_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        quiet_hours_of(text)


@given(st.times(), st.times(), st.times())
def test_a_day_is_quiet_or_the_same_hours_turned_round_are(
    start: time, end: time, clock: time
) -> None:
    if start != end:
        assert QuietHours(start, end).cover(clock) != QuietHours(end, start).cover(clock)


def quiet_minutes(zone: str, begin: datetime) -> int:
    """How many minutes of the day and night after ``begin`` are quiet."""
    profile = RobotProfile(time_zone=zone, quiet_hours="21:00-07:00")
    moments = (begin + timedelta(minutes=n) for n in range(24 * 60))
    return sum(profile.character_at(moment).quiet for moment in moments)


@pytest.mark.parametrize(
    ("zone", "begin", "hours"),
    [
        ("Europe/Berlin", datetime(2026, 6, 10, 12, tzinfo=UTC), 10),
        ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 9),
        ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 11),
        ("America/New_York", datetime(2026, 3, 7, 17, tzinfo=UTC), 9),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 2, tzinfo=UTC), 10.5),
        ("Asia/Kolkata", datetime(2026, 3, 28, 12, tzinfo=UTC), 10),
    ],
)
def test_a_night_in_which_clocks_change_ends_at_the_same_time_on_the_clock(
    zone: str, begin: datetime, hours: float
) -> None:
    assert quiet_minutes(zone, begin) == hours * 60


def test_in_its_quiet_hours_a_robot_is_no_louder_than_it_may_be() -> None:
    profile = RobotProfile(time_zone="UTC", quiet_hours="21:00-07:00", volume=0.8, quiet_volume=0.3)
    night, day = datetime(2026, 6, 1, 22, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert profile.character_at(night).volume == 0.3
    assert profile.character_at(day).volume == 0.8
    softer = profile.model_copy(update={"volume": 0.1})
    assert softer.character_at(night).volume == 0.1
