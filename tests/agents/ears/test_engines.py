"""Which engines ears takes."""

import importlib.util

import pytest

from agents.ears.engines import chosen
from agents.ears.settings import EarsSettings

INSTALLED = importlib.util.find_spec("pipecat") is not None


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
        {"bus_dir": ".", "backend": backend, "turn_model": turn_model}
    )
    assert chosen(settings).name == engines
