"""Coming back: as the close code allows, and never in step with others."""

import random

import pytest

from robot_sim.reconnect import GiveUp, Retry, after_close

URL = "ws://hub/robot?robot_id=r"


@pytest.mark.parametrize("code", [4001, 4003, 4011, 4400])
def test_some_codes_are_final(code: int) -> None:
    assert isinstance(after_close(code, "", URL, 0, random.Random(1)), GiveUp)


@pytest.mark.parametrize("code", [1001, 1006, 1011, 4000, 4008, 4009, 4010, 4999])
def test_after_other_codes_it_comes_back(code: int) -> None:
    decision = after_close(code, "", URL, 0, random.Random(1))
    assert isinstance(decision, Retry)
    assert decision.url == URL


@pytest.mark.parametrize(("attempt", "bound_s"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 8), (99, 8)])
def test_the_wait_is_drawn_up_to_a_bound_that_doubles_to_8_s(attempt: int, bound_s: int) -> None:
    waits = [
        decision.after_s
        for seed in range(200)
        if isinstance(decision := after_close(1006, "", URL, attempt, random.Random(seed)), Retry)
    ]
    assert len(waits) == 200
    assert 0 <= min(waits) < bound_s * 0.1
    assert bound_s * 0.9 < max(waits) <= bound_s


def test_a_moved_hub_is_followed_only_to_a_websocket() -> None:
    rng = random.Random(1)
    moved = after_close(4012, "wss://other/robot?robot_id=r", URL, 0, rng)
    assert isinstance(moved, Retry)
    assert moved.url == "wss://other/robot?robot_id=r"
    odd = after_close(4012, "file:///etc/passwd", URL, 0, rng)
    assert isinstance(odd, Retry)
    assert odd.url == URL
