"""Quantiles and verdicts of the benchmarks."""

import math

import pytest

from benchmarks.timing import quantile_ms, within


def test_a_quantile_is_a_sample_that_occurred() -> None:
    samples = [ms * 1_000_000 for ms in (3, 1, 2, 10)]

    assert [quantile_ms(samples, q) for q in (0.0, 0.34, 0.99, 1.0)] == [1, 2, 10, 10]


def test_nothing_measured_is_no_number_and_reaches_no_goal() -> None:
    nothing = quantile_ms([], 0.5)

    assert math.isnan(nothing)
    assert within(nothing, 1.0) is False


@pytest.mark.parametrize(
    ("value", "verdict"), [(1.9, True), (2.0, True), (2.1, None), (3.9, None), (4.0, False)]
)
def test_a_time_fails_only_at_twice_its_goal(value: float, verdict: bool | None) -> None:
    assert within(value, 2.0) is verdict
