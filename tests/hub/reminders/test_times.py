"""To which moment a wish leads, over midnight and changes of clocks."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.reminders.times import MOST_S, due_s, local
from hub.reminders.wish import DAYS, After, At

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 11, 27, 17, 0, tzinfo=BERLIN)


def due(when: After | At, now: datetime = FRIDAY) -> datetime | None:
    found = due_s(when, now.timestamp(), BERLIN)
    return None if found is None else datetime.fromtimestamp(found, BERLIN)


@pytest.mark.parametrize(
    ("when", "then"),
    [
        (After(300), "2026-11-27 17:05"),
        (At(6), "2026-11-27 18:00"),
        (At(4), "2026-11-28 04:00"),
        (At(5), "2026-11-28 05:00"),
        (At(6, 0, "am"), "2026-11-28 06:00"),
        (At(4, 0, "pm"), "2026-11-28 16:00"),
        (At(18, 5), "2026-11-27 18:05"),
        (At(12), "2026-11-28 00:00"),
        (At(12, 0, "pm"), "2026-11-28 12:00"),
        (At(0), "2026-11-28 00:00"),
        (At(10, 0, "night", "today"), "2026-11-27 22:00"),
        (At(0, 0, "night", "today"), "2026-11-28 00:00"),
        (At(12, 30, "night", "today"), "2026-11-28 00:30"),
        (At(9, 0, "night", "tomorrow"), "2026-11-28 21:00"),
        (At(12, 0, "night"), "2026-11-28 00:00"),
        (At(2, 0, "night"), "2026-11-28 02:00"),
        (At(8, 0, "", "tomorrow"), "2026-11-28 08:00"),
        (At(6, 0, "", "tomorrow"), "2026-11-28 18:00"),
        (At(6, 0, "am", "tomorrow"), "2026-11-28 06:00"),
        (At(9, 0, "", "monday"), "2026-11-30 09:00"),
        (At(9, 0, "", "friday"), "2026-12-04 09:00"),
        (At(6, 0, "", "friday"), "2026-11-27 18:00"),
    ],
)
def test_a_time_is_the_next_that_can_be_meant(when: After | At, then: str) -> None:
    found = due(when)
    assert found is not None
    assert f"{found:%Y-%m-%d %H:%M}" == then


@pytest.mark.parametrize(
    "when", [At(4, 0, "pm", "today"), At(4, 0, "am", "today"), After(0), After(MOST_S + 1)]
)
def test_what_has_passed_or_is_too_far_is_never_due(when: After | At) -> None:
    assert due(when) is None


def test_a_time_that_the_clocks_leave_out_is_an_hour_later() -> None:
    before = datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN)
    found = due(At(2, 30, "am"), before)
    assert found is not None
    assert f"{found:%H:%M}" == "03:30"


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    before = datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN)
    found = due(At(2, 30, "am"), before)
    assert found is not None
    assert found.utcoffset() == timedelta(hours=2)


def test_a_reminder_for_the_morning_after_a_change_of_clocks_keeps_its_hour() -> None:
    found = due(At(7, 0, "am"), datetime(2026, 10, 24, 22, 0, tzinfo=BERLIN))
    assert found is not None
    assert f"{found:%d %H:%M}" == "25 07:00"
    assert found.timestamp() - datetime(2026, 10, 24, 22, 0, tzinfo=BERLIN).timestamp() == 36_000


@given(
    st.integers(1_577_836_800, 2_051_222_400),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["", "am", "pm", "night"]),
    st.sampled_from(["", "tomorrow", *DAYS]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_whatever_is_meant_lies_ahead_within_eight_days_and_shows_its_minute(
    now_s: int, hour: int, minute: int, half: str, day: str, place: str
) -> None:
    zone = ZoneInfo(place)
    found = due_s(At(hour, minute, half, day), now_s, zone)
    assert found is not None
    assert 0 < found - now_s <= 8 * 86_400
    moved = local(found, zone).minute != minute  # by a change of clocks of half an hour
    assert not moved or place == "Australia/Lord_Howe"
