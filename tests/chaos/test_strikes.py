"""The plan of a chaos run."""

from collections import Counter

import pytest

from hub.restarts import MAX_RESTARTS, WINDOW_S
from tests.chaos.strikes import MOST_PER_MINUTE, plan_strikes

VICTIMS = ("hub", "ears", "stt", "planner", "planner:reflex", "tts")


def test_strikes_are_spread_over_time_and_over_everybody() -> None:
    plan = plan_strikes(VICTIMS, 100, 600.0, seed=1)

    times_s = [strike.at_s for strike in plan]
    assert times_s == sorted(times_s)
    assert 0 < times_s[0] < 6 < 594 < times_s[-1] < 600
    counts = Counter(strike.victim for strike in plan)
    assert set(counts) == set(VICTIMS)
    assert max(counts.values()) - min(counts.values()) <= 2
    assert any(strike.stop_s for strike in plan)


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_struck_so_often_that_it_would_be_given_up(seed: int) -> None:
    plan = plan_strikes(VICTIMS, 40, 120.0, seed)

    for last in plan:
        window = [
            strike
            for strike in plan
            if strike.victim == last.victim and 0 <= last.at_s - strike.at_s < WINDOW_S
        ]
        assert len(window) <= MOST_PER_MINUTE < MAX_RESTARTS


def test_a_seed_decides_everything() -> None:
    assert plan_strikes(VICTIMS, 20, 120.0, 7) == plan_strikes(VICTIMS, 20, 120.0, 7)
    assert plan_strikes(VICTIMS, 20, 120.0, 7) != plan_strikes(VICTIMS, 20, 120.0, 8)


def test_more_than_the_supervisors_policy_allows_is_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        plan_strikes(("hub",), 10, 60.0, seed=1)
