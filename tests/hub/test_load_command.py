"""``robot-hub load`` and ``run --bench`` as far as no hub is needed; see ``tests/e2e/test_cli.py``."""

from pathlib import Path

import pytest

from hub.bench import with_scripted_engines
from hub.settings import load
from tests.command_line import refusal, robot_hub


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--robots", "0"), "--robots must be between 1 and 1000, not 0"),
        (("--talk", "2"), "--talk must be between 0.01 and 0.9, not 2"),
        (("--json", "nowhere/at/all.json"), "the folder of nowhere/at/all.json does not exist"),
        (("--hub", "http://127.0.0.1:9"), "no hub answers at http://127.0.0.1:9"),
    ],
)
def test_a_load_that_cannot_be_put_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal(robot_hub("load", *arguments, cwd=tmp_path))


def test_in_bench_mode_every_agent_is_scripted_and_its_process_knows(tmp_path: Path) -> None:
    chosen = load(hub_data_dir=tmp_path, stt_backend="pocketsphinx", hub_bench=True)

    settings = with_scripted_engines(chosen)

    environment = settings.child_environment()
    assert {environment[f"{name}_BACKEND"] for name in ("EARS", "STT", "LLM", "TTS")} == {
        "scripted"
    }
    assert environment["HUB_AGENTS"] == "ears,stt,planner,tts"
    assert environment["HUB_BENCH"] == "1"


def test_agents_that_were_named_are_kept_in_bench_mode(tmp_path: Path) -> None:
    settings = with_scripted_engines(load(hub_data_dir=tmp_path, hub_agents=("ears", "tts")))

    assert settings.hub_agents == ("ears", "tts")
