"""How growth is told from being started again."""

import pytest

from tests.chaos.memory import Sample, growth


def life(pid: int, from_s: float, mib_per_s: float, seconds: int = 40) -> list[Sample]:
    """A process that fills up for ten seconds, then grows as told."""
    return [
        Sample("hub", pid, from_s + age, 30.0 + min(age, 10) + mib_per_s * max(0, age - 10))
        for age in range(seconds)
    ]


def test_being_started_again_is_no_shrinking_and_loading_is_no_growth() -> None:
    (found,) = growth([*life(1, 0.0, 0.0), *life(2, 40.0, 0.0)]).values()

    assert found.mib_per_minute == pytest.approx(0.0)
    assert (found.first_mib, found.last_mib, found.lives) == (40.0, 40.0, 2)
    assert found.flat


def test_a_leak_is_seen_through_restarts() -> None:
    (found,) = growth([*life(1, 0.0, 0.1), *life(2, 40.0, 0.1)]).values()

    assert found.mib_per_minute == pytest.approx(6.0)


def test_a_process_that_is_never_killed_and_leaks_is_not_flat() -> None:
    (found,) = growth(life(1, 0.0, 0.1, seconds=300)).values()

    assert not found.flat


def test_lives_that_end_before_they_are_warm_say_nothing() -> None:
    (found,) = growth(life(1, 0.0, 5.0, seconds=12)).values()

    assert found.mib_per_minute == 0.0
