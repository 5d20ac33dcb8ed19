import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.runtime.errors import BackendUnavailable
from agents.tts import engines, models
from agents.tts.__main__ import build
from agents.tts.backends.kokoro import KokoroVoice
from agents.tts.engines import Choice, chosen
from agents.tts.models import find_kokoro
from agents.tts.settings import TtsSettings
from tests.agents.tts.kokoro_files import kokoro_files
from tests.fakes.engines import running

ALLOWED = {"performance_mode": True, "orpheus_policy": "vram_budget_ok"}
SERVER = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def _nothing_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests may have a model of its own."""
    monkeypatch.setattr(models, "_cached", lambda: None)


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orpheus' libraries seem to be installed."""
    monkeypatch.setattr(engines, "find_spec", lambda name: object())


def settings(**fields: Any) -> TtsSettings:
    return TtsSettings(bus_dir=Path("/nowhere"), _env_file=None, **fields)  # type: ignore[call-arg]


def picked(**fields: Any) -> Choice:
    return chosen(settings(**fields))


@pytest.mark.parametrize("backend", ["espeak", "off", "scripted"])
def test_the_setting_chooses_the_voice(backend: str) -> None:
    choice = picked(backend=backend)
    assert choice.voice.name == backend
    assert choice.reason == f"TTS_BACKEND={backend}"


def test_auto_takes_espeak_where_nothing_better_can_work_and_says_why() -> None:
    choice = picked()
    assert (choice.voice.name, choice.model) == ("espeak", "en-us")
    assert "performance_mode_disabled" in choice.reason
    assert "robot-hub setup" in choice.reason


def test_auto_takes_kokoro_where_its_model_is_on_disk(tmp_path: Path) -> None:
    files = kokoro_files(tmp_path)
    choice = picked(models_dir=tmp_path)
    assert (choice.voice.name, choice.model) == ("kokoro", files.model.name)
    assert "its model is on disk" in choice.reason


@pytest.mark.usefixtures("libraries")
def test_auto_takes_orpheus_where_the_gpu_has_room_for_it(tmp_path: Path) -> None:
    kokoro_files(tmp_path)
    choice = picked(models_dir=tmp_path, **ALLOWED)
    assert (choice.voice.name, choice.model) == ("orpheus", "canopylabs/orpheus-3b-0.1-ft")


def test_auto_takes_a_server_that_is_named_for_it_and_none_that_is_the_planners() -> None:
    assert picked(tts_base_url=SERVER).voice.name == "openai"
    assert picked(openai_base_url=SERVER).voice.name == "espeak"


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "performance_mode_disabled"),
        ({"orpheus_policy": "vram_budget_ok"}, "performance_mode_disabled"),
        ({"performance_mode": True}, "unknown_free_vram"),
        ({"performance_mode": True, "orpheus_policy": "low_free_vram"}, "low_free_vram"),
        ({"performance_mode": True, "orpheus_policy": "what?"}, "what?"),
    ],
)
def test_orpheus_does_not_run_where_it_is_not_known_to_fit(
    fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BackendUnavailable) as raised:
        picked(backend="orpheus", **fields)
    assert raised.value.code == f"orpheus_disabled_{reason}"
    assert picked(**fields).voice.name == "espeak"


def test_a_missing_library_names_the_extras_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "snac" else object())
    with pytest.raises(BackendUnavailable, match=r"snac not installed; install robot-hub\[orph"):
        picked(backend="orpheus", **ALLOWED)


def test_an_engine_that_lacks_what_it_needs_is_refused_in_one_sentence() -> None:
    with pytest.raises(BackendUnavailable, match="needs TTS_BASE_URL or OPENAI_BASE_URL"):
        picked(backend="openai")
    with pytest.raises(BackendUnavailable, match="KOKORO_MODEL"):
        picked(backend="kokoro")
    with pytest.raises(BackendUnavailable, match="does not exist"):
        picked(backend="kokoro", kokoro_model=Path("/no"), kokoro_voices=Path("/no"))


def test_a_key_goes_to_its_own_server_only() -> None:
    shared = {"openai_base_url": f"{SERVER}#own,http://h/v1", "openai_api_key": "one, two"}
    assert settings(**shared).endpoint == (SERVER, "one")
    assert settings(**shared, tts_api_key="mine").endpoint == (SERVER, "mine")
    assert settings(**shared, tts_base_url="http://tts/v1").endpoint == ("http://tts/v1", "")


def test_the_server_is_asked_for_the_model_that_is_named() -> None:
    assert settings().openai_model == "tts-1"
    assert settings(model_name="kokoro").openai_model == "kokoro"
    assert settings(model_name="kokoro", openai_tts_model="tts-2").openai_model == "tts-2"


@pytest.mark.parametrize(
    "layout",
    [
        ("kokoro/kokoro-v1.0.onnx", "kokoro/voices-v1.0.bin"),
        ("kokoro.onnx", "voices.npz"),
        ("model_quantized.onnx", "voices/af_heart.bin"),
        ("onnx/model.onnx", "voices/af_heart.bin"),
    ],
)
def test_kokoros_files_are_found_however_they_are_laid_out(
    tmp_path: Path, layout: tuple[str, str]
) -> None:
    model, voices = (tmp_path / name for name in layout)
    model.parent.mkdir(parents=True, exist_ok=True)
    model.touch()
    with pytest.raises(BackendUnavailable):
        find_kokoro(settings(models_dir=tmp_path))
    voices.parent.mkdir(parents=True, exist_ok=True)
    voices.touch()
    found = find_kokoro(settings(models_dir=tmp_path))
    assert found.model == model
    assert found.voices in (voices, voices.parent)


async def test_voices_of_a_file_each_are_loaded(tmp_path: Path) -> None:
    files = kokoro_files(tmp_path)
    folder = tmp_path / "voices"
    folder.mkdir()
    np.zeros((510, 256), np.float32).tofile(folder / "af_heart.bin")
    voice = KokoroVoice(files.model, folder, threads=1)
    await voice.start()
    await voice.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"backend": "flite"},
        {"voice": "../en"},
        {"rate_wpm": 10},
        {"voice": ""},
        {"tts_base_url": "ftp://h"},
        {"orpheus_voice": "tara: hi"},
        {"busy_queue_threshold": -1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        settings(**wrong)


async def test_what_was_chosen_and_what_became_of_it_is_told_to_the_hub() -> None:
    agent = build(settings(tts_base_url=SERVER))
    assert agent.backend.name == "openai"
    assert agent.slot is not None
    assert agent.loaded is not None
    assert agent.loaded().info == {"reason": "TTS_BASE_URL names a server"}
    async with running(agent.slot):
        await agent.backend.start()
        assert agent.backend.name == "espeak"
        assert agent.loaded().info["fallback"] == "espeak"
        assert agent.loaded().info["reason"].startswith("openai does not start: ")


def test_no_engine_is_loaded_before_it_is_chosen() -> None:
    heavy = "espeakng_loader", "onnxruntime", "numpy", "httpx", "vllm", "torch", "tokenizers"
    program = f"import sys, agents.tts.__main__; sys.exit(any(n in sys.modules for n in {heavy}))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
