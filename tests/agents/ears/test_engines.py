"""Which engines ears takes."""

import importlib.util

import pytest

from agents.ears.engines import chosen
from agents.ears.settings import EarsSettings

INSTALLED = importlib.util.find_spec("pipecat") is not None
WAKES = importlib.util.find_spec("pymicro_wakeword") is not None


@pytest.mark.parametrize(
    ("backend", "turn_model", "engines"),
    [
        ("auto", "auto", "silero+smart_turn" if INSTALLED else "silero_single"),
        ("auto", "none", "silero" if INSTALLED else "silero_single"),
        ("silero_single", "none", "silero_single"),
        ("silero", "smart_turn", "silero+smart_turn"),
        ("scripted", "auto", "scripted"),
    ],
)
def test_settings_choose_the_engines(backend: str, turn_model: str, engines: str) -> None:
    settings = EarsSettings.model_validate(
        {"bus_dir": ".", "backend": backend, "turn_model": turn_model, "wake_backend": "none"}
    )
    assert chosen(settings).name == engines


@pytest.mark.parametrize(
    ("backend", "wake_backend", "engines"),
    [
        ("silero_single", "auto", "silero_single+micro_wake" if WAKES else "silero_single"),
        ("silero_single", "micro", "silero_single+micro_wake"),
        ("scripted", "auto", "scripted"),
        ("scripted", "micro", "scripted+micro_wake"),
    ],
)
def test_settings_choose_what_hears_wake_words(
    backend: str, wake_backend: str, engines: str
) -> None:
    settings = EarsSettings.model_validate(
        {"bus_dir": ".", "backend": backend, "turn_model": "none", "wake_backend": wake_backend}
    )
    assert chosen(settings).name == engines


def test_wake_words_are_given_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARS_WAKE_WORDS", "okay_nabu, /models/hey_robot.json")
    settings = EarsSettings.model_validate({"bus_dir": "."})
    assert settings.wake_words == ("okay_nabu", "/models/hey_robot.json")
