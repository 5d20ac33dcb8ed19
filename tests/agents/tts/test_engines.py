import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.errors import BackendUnavailable
from agents.tts.engines import chosen
from agents.tts.settings import TtsSettings


def settings(**fields: Any) -> TtsSettings:
    return TtsSettings(bus_dir=Path("/nowhere"), _env_file=None, **fields)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("backend", "name"),
    [("auto", "espeak"), ("espeak", "espeak"), ("off", "off"), ("scripted", "scripted")],
)
def test_the_setting_chooses_the_voice(backend: str, name: str) -> None:
    assert chosen(settings(backend=backend)).name == name


def test_a_voice_that_is_not_built_yet_is_refused_in_one_sentence() -> None:
    with pytest.raises(BackendUnavailable, match="TTS_BACKEND=orpheus is not part of this build"):
        chosen(settings(backend="orpheus"))


@pytest.mark.parametrize(
    "wrong", [{"backend": "flite"}, {"voice": "../en"}, {"rate_wpm": 10}, {"voice": ""}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        settings(**wrong)


def test_no_engine_is_loaded_before_it_is_chosen() -> None:
    program = "import sys, agents.tts.__main__; sys.exit('espeakng_loader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
