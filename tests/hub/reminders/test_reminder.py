"""What is due when, as a function of what is set and of the moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.reminders.reminder import DROPPED_S, LATE_S, Now, Reminder, Verdict, due, verdict, wait_s

DUE = 1_000_000.0
REMINDER = Reminder("a", "r1", "reminder", "feed the cat", DUE, DUE - 600)
TIMER = Reminder("b", "r1", "timer", "", DUE, DUE - 300, 300.0)


@pytest.mark.parametrize(
    ("late_s", "told"),
    [
        (-1.0, Verdict.WAIT),
        (0.0, Verdict.SAY),
        (LATE_S, Verdict.SAY),
        (LATE_S + 1, Verdict.SAY_LATE),
        (DROPPED_S["reminder"], Verdict.SAY_LATE),
        (DROPPED_S["reminder"] + 1, Verdict.DROP),
    ],
)
def test_a_reminder_is_said_said_late_or_dropped(late_s: float, told: Verdict) -> None:
    assert verdict(REMINDER, Now(DUE + late_s, 0.0)) is told


def test_a_reminder_follows_a_wall_clock_that_jumps() -> None:
    assert verdict(REMINDER, Now(DUE - 3_600, 500.0)) is Verdict.WAIT
    assert verdict(REMINDER, Now(DUE + 1, 500.0)) is Verdict.SAY


def test_a_timer_follows_a_clock_that_never_jumps() -> None:
    running = TIMER.counting(Now(DUE - 300, 50.0))
    assert verdict(running, Now(DUE + 3_600, 349.0)) is Verdict.WAIT
    assert verdict(running, Now(DUE - 3_600, 350.0)) is Verdict.SAY


def test_a_timer_counts_on_in_the_next_run_of_the_hub() -> None:
    taken_up = TIMER.counting(Now(DUE - 100, 7.0))
    assert verdict(taken_up, Now(DUE - 100, 106.0)) is Verdict.WAIT
    assert verdict(taken_up, Now(DUE - 100, 107.0)) is Verdict.SAY


def test_a_timer_never_counts_longer_than_it_was_set_for() -> None:
    taken_up = TIMER.counting(Now(DUE - 86_400, 0.0))
    assert verdict(taken_up, Now(DUE - 86_400, 300.0)) is Verdict.SAY


def test_a_timer_that_ran_out_while_the_hub_was_down_is_late() -> None:
    taken_up = TIMER.counting(Now(DUE + 600, 3.0))
    assert verdict(taken_up, Now(DUE + 600, 3.0)) is Verdict.SAY_LATE


reminders = st.builds(
    Reminder,
    id=st.uuids().map(str),
    robot=st.just("r1"),
    kind=st.sampled_from(["timer", "reminder"]),
    text=st.just(""),
    due_s=st.floats(0, 2e6),
    set_s=st.just(0.0),
    counts_until_s=st.none() | st.floats(0, 2e6),
)
moments = st.builds(Now, wall_s=st.floats(0, 2e6), steady_s=st.floats(0, 2e6))


@given(st.lists(reminders, max_size=8), moments)
def test_the_longest_due_comes_first(kept: list[Reminder], now: Now) -> None:
    late_s = [each.late_s(now) for each in due(kept, now)]
    assert late_s == sorted(late_s, reverse=True)


@given(st.lists(reminders, max_size=8), moments)
def test_nothing_falls_due_before_it_is_looked_for_again(kept: list[Reminder], now: Now) -> None:
    waiting = [each for each in kept if each not in due(kept, now)]
    pause = wait_s(kept, now, 60.0)
    assert 0 < pause <= 60.0
    before = Now(now.wall_s + 0.99 * pause - 1e-6, now.steady_s + 0.99 * pause - 1e-6)
    assert due(waiting, before) == []
