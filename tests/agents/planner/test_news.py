"""When a robot that asks by the clock has something new to tell."""

from typing import Any

import pytest

from agents.planner.news import MAX_ROBOTS, Seen, events_of, is_quiet, new_events
from tests.agents.planner.turns import world


@pytest.mark.parametrize(
    ("seen", "now", "new"),
    [
        ("", "", ""),
        ("", "a", "a"),
        ("a", "a", ""),
        ("a", "", ""),
        ("abc", "abc", ""),
        ("abc", "bcd", "d"),
        ("abc", "c", ""),
        ("abc", "cde", "de"),
        ("abc", "xyz", "xyz"),
        ("a", "aa", "a"),
        ("ab", "ba", "a"),
        ("abab", "abab", ""),
    ],
)
def test_new_is_what_follows_the_end_of_what_was_seen(seen: str, now: str, new: str) -> None:
    assert new_events(tuple(seen), tuple(now)) == tuple(new)


@pytest.mark.parametrize(
    ("fields", "quiet"),
    [
        ({}, True),
        ({"trigger": "periodic"}, True),
        ({"trigger": " Heartbeat "}, True),
        ({"trigger": ""}, True),
        ({"trigger": "ball_seen"}, False),
        ({"recent_events": ["seen"]}, True),
        ({"recent_events": ["seen", "face.button.click"]}, False),
        ({"recent_events": ["face.button.click"]}, False),
        ({"recent_events": ["seen", "power.low_soc_raised"]}, True),
        ({"trigger": "power.low_soc_raised"}, True),
        ({"ball_detected": True, "range_mm": 100}, True),
    ],
)
def test_the_clock_alone_is_no_reason_to_think(fields: dict[str, Any], quiet: bool) -> None:
    assert is_quiet(world(**fields), ("seen",)) is quiet


def test_each_robot_has_seen_its_own_events() -> None:
    seen = Seen()
    seen.note(world(robot_id="a", recent_events=["x"]))
    seen.note(world(robot_id="b", recent_events=["y"]))
    assert (seen.of("a"), seen.of("b"), seen.of("c")) == (("x",), ("y",), ())


def test_the_robots_that_asked_last_are_remembered() -> None:
    seen = Seen()
    for number in range(MAX_ROBOTS):
        seen.note(world(robot_id=f"r{number}", recent_events=["x"]))
    seen.note(world(robot_id="r0", recent_events=["y"]))
    seen.note(world(robot_id="new", recent_events=["z"]))
    assert (seen.of("r0"), seen.of("r1"), seen.of("new")) == (("y",), (), ("z",))


def test_events_about_power_are_none_of_a_planners_business() -> None:
    told = ["power.undervoltage_raised", "core.event.battery.low", "superpower", "mode.changed"]
    assert events_of(world(recent_events=told)) == ("superpower", "mode.changed")
