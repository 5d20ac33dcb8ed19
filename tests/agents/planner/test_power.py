"""No model speaks of a robot's power."""

import pytest

from agents.planner.power import is_about_power, speaks_of_power, without_power_talk


@pytest.mark.parametrize(
    "text",
    [
        "My battery is low.",
        "Batteries not included!",
        "I am running out of POWER",
        "Time to recharge!",
        "Please plug me in.",
        "I need my charger",
        "I feel low on energy",
        "Mein Akku ist leer",
        "Mi batería está baja",
        "我的电量很低",
    ],
)
def test_words_about_power_are_noticed(text: str) -> None:
    assert speaks_of_power(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello there!",
        "What a powerful jump!",
        "I see a ball.",
        "Look, a battle!",
        "Large discharger",
    ],
)
def test_other_words_are_not(text: str) -> None:
    assert not speaks_of_power(text)


@pytest.mark.parametrize(
    ("event", "about"),
    [
        ("power.low_soc_raised", True),
        ("core.event.power.undervoltage_raised", True),
        ("battery_low", True),
        ("Power.Low", True),
        ("superpower", False),
        ("vision.ball_acquired", False),
    ],
)
def test_events_about_power_are_known_by_their_name(event: str, about: bool) -> None:
    assert is_about_power(event) is about


def test_only_what_is_said_is_left_out() -> None:
    nod = {"action": "gesture", "name": "nod", "params": {}}
    hello = {"action": "say", "text": "hello"}
    tired = {"action": "say", "text": "my battery is low"}
    assert without_power_talk([nod, tired, hello]) == [nod, hello]
