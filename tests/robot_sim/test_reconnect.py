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


@pytest.mark.parametrize(
    ("code", "attempt", "bound_s"),
    [
        (4009, 0, 1), (4009, 1, 2), (4009, 2, 4), (4009, 3, 8), (4009, 4, 8), (4009, 99, 8),
        (1006, 0, 0.2), (1006, 1, 1), (1006, 6, 1), (1006, 7, 2), (1006, 9, 8), (1006, 99, 8),
        (4010, 0, 4), (4010, 3, 8),
    ],
)  # fmt: skip
def test_the_wait_is_drawn_up_to_a_bound_that_doubles_to_8_s_and_is_short_after_a_cut(
    code: int, attempt: int, bound_s: float
) -> None:
    waits = [
        decision.after_s
        for seed in range(200)
        if isinstance(decision := after_close(code, "", URL, attempt, random.Random(seed)), Retry)
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
