"""How latencies with and without a dashboard are compared, robot by robot."""

import pytest

from benchmarks.dashboard import (
    ROBOTS,
    Result,
    moved,
    worst_shift_ms,
    worst_shift_of_control_ms,
)
from benchmarks.processes import CpuMeter


def result(*stretches_ms: int, first_robot_ms: int = 0) -> Result:
    """Every robot had one turn in each stretch; the first one's took longer."""
    given = Result(CpuMeter())
    for ms in stretches_ms:
        first = [(ms + first_robot_ms) * 1_000_000]
        given.stretches.append([first] + [[ms * 1_000_000]] * (ROBOTS - 1))
    return given


def test_the_robot_that_is_moved_most_counts_and_not_the_mean_of_all() -> None:
    assert worst_shift_ms(result(5, 5, first_robot_ms=40), result(5, 5)) == pytest.approx(40)


def test_chance_is_what_the_control_does_to_itself() -> None:
    assert worst_shift_of_control_ms(result(5, 12, 5, 12)) == pytest.approx(7)


@pytest.mark.parametrize(
    ("shift_ms", "noise_ms", "verdict"),
    [(4.9, 0.0, True), (-3.0, 9.0, None), (9.0, 2.0, False), (9.0, 6.0, None), (99.0, 6.0, False)],
)
def test_a_shift_that_chance_does_too_has_no_verdict(
    shift_ms: float, noise_ms: float, verdict: bool | None
) -> None:
    assert moved(shift_ms, noise_ms) is verdict
