"""The waterfall: each bar begins where the one before it ends, and the sum is printed."""

from protocols.messages.turn import Segment
from robot_sim.waterfall import waterfall


def test_bars_follow_each_other_and_the_last_line_is_their_sum() -> None:
    lines = waterfall([Segment("endpointing", 300.0), Segment("transcript", 100.0)], width=40)
    assert lines[0].count("█") == 30
    assert lines[1].index("█") - lines[0].index("█") == 30
    assert lines[1].count("█") == 10
    assert lines[0].endswith("300.0 ms")
    assert lines[2].endswith("400.0 ms")
    assert len({len(line) for line in lines}) == 1


def test_a_step_of_no_time_still_has_a_bar() -> None:
    lines = waterfall([Segment("endpointing", 0.0), Segment("transcript", 0.0)])
    assert all("█" in line for line in lines[:-1])
