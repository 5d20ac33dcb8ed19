"""Setup on machines that are not this one: their GPUs, what they can get, what was written."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from hub.commands.setup import COMPLETE, INCOMPLETE, SetupRefused, Wishes, setup
from hub.gpu import Reading
from hub.profiles import ORPHEUS_MODEL, SNAC_MODEL, VLLM_MODEL, Profile
from hub.settings import KNOWN_NAMES, SettingsError, load
from tests.fakes.gpu import FakeDriver, gpu
from tests.fakes.source import FakeSource

YES = Wishes(yes=True)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, no settings but the test's, and an engine that is tried at once."""
    monkeypatch.chdir(tmp_path)
    for name in KNOWN_NAMES | {"CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE"}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_AGENTS", "recorder")
    monkeypatch.setenv("SERVER_PORT", "9")
    return tmp_path


class Box:
    """A machine with one GPU of ``total_gb``, none if that is 0."""

    def __init__(self, total_gb: float, source: FakeSource | None = None) -> None:
        reading = (
            Reading((gpu(total_gb, total_gb, "NVIDIA Z"),)) if total_gb else Reading(why="none")
        )
        self._driver = FakeDriver(reading)
        self.source = source or FakeSource()
        self.said = ""

    def set_up(self, wishes: Wishes = YES, *, agrees: bool = True) -> int:
        out = io.StringIO()
        console = Console(file=out, width=200)
        try:
            return setup(load(), wishes, console, lambda: agrees, self._driver, self.source)
        finally:
            self.said = out.getvalue()


def written() -> dict[str, str]:
    lines = Path(".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_a_large_gpu_gets_everything() -> None:
    box = Box(24)

    assert box.set_up() == COMPLETE
    assert "profile gpu: there is a NVIDIA Z of 24 GiB" in box.said
    assert written() == {
        "STT_BACKEND": "faster_whisper",
        "STT_MODEL_SIZE": "large-v3-turbo",
        "STT_DEVICE": "cuda",
        "STT_COMPUTE_TYPE": "float16",
        "TTS_BACKEND": "orpheus",
        "PERFORMANCE_MODE": "1",
        "TTS_MODEL_NAME": ORPHEUS_MODEL,
        "LLM_BACKEND": "vllm",
        "VLLM_MODEL_NAME": VLLM_MODEL,
    }
    assert {"vllm", "orpheus", ORPHEUS_MODEL, SNAC_MODEL, VLLM_MODEL} <= set(box.source.asked)


def test_what_cannot_be_had_is_said_and_replaced() -> None:
    box = Box(24, FakeSource({ORPHEUS_MODEL, "large-v3-turbo"}))

    assert box.set_up() == INCOMPLETE
    assert f"not Orpheus on the GPU: there is no {ORPHEUS_MODEL}" in box.said
    settings = written()
    assert (settings["TTS_BACKEND"], settings["STT_MODEL_SIZE"]) == ("kokoro", "base.en")
    assert (settings["STT_DEVICE"], settings["LLM_BACKEND"]) == ("cpu", "vllm")
    assert "PERFORMANCE_MODE" not in settings


def test_settings_that_would_overbook_the_gpu_are_not_written() -> None:
    Path(".env").write_text("HUB_AGENTS=planner,tts\nVLLM_GPU_MEMORY_UTILIZATION=0.6\n")
    box = Box(24)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HUB_AGENTS")

        with pytest.raises(SettingsError, match=r"0\.60 \+ .* 0\.45 = 1\.05 is above"):
            box.set_up()

    assert Path(".env").read_text().count("\n") == 2


def test_with_force_what_was_written_before_is_written_anew() -> None:
    Path(".env").write_text("TTS_BACKEND=espeak # for now\nMODEL_NAME=mine\n")

    Box(8, FakeSource(ollama=True)).set_up()
    kept = written()
    Box(8, FakeSource(ollama=True)).set_up(Wishes(yes=True, force=True))

    assert kept["TTS_BACKEND"] == "espeak # for now"
    assert (kept["LLM_BACKEND"], kept["MODEL_NAME"]) == ("ollama", "mine")
    assert (written()["TTS_BACKEND"], written()["MODEL_NAME"]) == ("kokoro", "qwen3:8b")


def test_a_model_that_somebody_named_is_the_one_that_is_fetched() -> None:
    Path(".env").write_text("STT_MODEL_SIZE=medium\n")
    box = Box(0)

    box.set_up(Wishes(profile=Profile.LAPTOP, yes=True))

    assert "medium" in box.source.asked
    assert written()["STT_MODEL_SIZE"] == "medium"
    assert "STT_MODEL_SIZE=medium stays" in box.said


def test_who_says_no_keeps_everything_as_it_was() -> None:
    box = Box(24)

    with pytest.raises(SetupRefused, match="nothing was changed"):
        box.set_up(Wishes(), agrees=False)

    assert box.source.asked == []
    assert not Path(".env").exists()


def test_a_dotenv_that_nobody_can_read_is_named_before_anything_is_done() -> None:
    Path(".env").write_text("A_GOOD_LINE\nTTS_VOICE='en\n")
    box = Box(0)

    with pytest.raises((SetupRefused, SettingsError), match=r"\.env|A_GOOD_LINE"):
        box.set_up()

    assert box.source.asked == []


def test_a_dotenv_that_is_a_link_stays_one(alone: Path) -> None:
    (alone / "real").write_text("")
    (alone / ".env").symlink_to("real")

    Box(0).set_up(Wishes(profile=Profile.PI, yes=True))

    assert (alone / ".env").is_symlink()
    assert "LLM_BACKEND=reflex" in (alone / "real").read_text()


def test_a_dry_run_on_another_machine_shows_its_steps() -> None:
    box = Box(24)

    assert box.set_up(Wishes(dry_run=True)) == COMPLETE
    assert f"$ download {VLLM_MODEL} from the model hub" in box.said
    assert "$ robot-hub models pull large-v3-turbo" in box.said
    assert not Path(".env").exists()
