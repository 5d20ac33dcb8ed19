"""``robot-hub doctor`` and ``robot-hub setup`` as their user meets them: real engines, real processes,
models fetched over loopback. What tries several engines one after the other is marked as `engine`."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from hub.gpu import Nvml
from tests.agents.stt import tiny_whisper
from tests.e2e.processes import CONVERSATION, command
from tests.fakes.model_hub import ModelHub
from tests.fakes.ollama_server import OllamaServer

pytestmark = pytest.mark.e2e

NO_NETWORK = {"HF_ENDPOINT": "http://127.0.0.1:9", "OLLAMA_URL": "http://127.0.0.1:9"}
EMBEDDED = {
    "STT_BACKEND": "pocketsphinx",
    "LLM_BACKEND": "reflex",
    "TTS_BACKEND": "espeak",
    "EARS_TURN_MODEL": "none",
}


def environment(folder: Path) -> dict[str, str]:
    return {
        "HF_HOME": str(folder / "cache"),
        "HUB_DATA_DIR": str(folder / "data"),
        "CUDA_VISIBLE_DEVICES": "",
        "HUB_AGENTS": CONVERSATION,
        **NO_NETWORK,
    }


async def doctor(folder: Path, *options: str, **settings: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document of ``robot-hub doctor --json``."""
    given = {**environment(folder), **settings}
    done = await command("doctor", "--json", *options, cwd=folder, **given)
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def dotenv(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@pytest.mark.engine
async def test_doctor_tries_every_configured_engine_and_touches_nothing(tmp_path: Path) -> None:
    code, document = await doctor(tmp_path, **EMBEDDED, HUB_TRACE="1")

    rows = {row["kind"]: row for row in document["engines"]}
    assert (code, document["works"]) == (0, True)
    assert list(rows) == ["ears", "stt", "planner", "tts", "recorder"]
    assert rows["stt"]["note"] == "heard “what can you do for me”"
    for row in rows.values():
        assert (row["present"], row["works"]) == (True, True)
        assert row["answer_ms"] >= 0
        assert row["memory_mib"] > 20
    assert inside(tmp_path) == []


@pytest.mark.engine
async def test_one_engine_that_is_not_there_is_one_row_and_exit_code_1(tmp_path: Path) -> None:
    wanted = {**EMBEDDED, "STT_BACKEND": "faster_whisper", "LLM_BACKEND": "ollama"}

    code, document = await doctor(tmp_path, **wanted)

    rows = {row["kind"]: row for row in document["engines"]}
    assert (code, document["works"]) == (1, False)
    assert (rows["stt"]["present"], rows["stt"]["works"]) == (False, False)
    assert "base.en is not on disk" in rows["stt"]["note"]
    assert "robot-hub models pull base.en" in rows["stt"]["note"]
    assert "http://127.0.0.1:9" in rows["planner"]["note"]
    assert rows["planner:reflex"]["works"] is True
    assert rows["ears"]["works"] is True


@pytest.mark.engine
async def test_with_all_what_is_not_configured_need_not_work(tmp_path: Path) -> None:
    only_tts = {"HUB_AGENTS": "tts", "TTS_BACKEND": "espeak"}

    code, document = await doctor(tmp_path, "--all", **only_tts)

    rows = {(row["kind"], row["engine"]): row for row in document["engines"]}
    assert code == 0
    assert rows["tts", "espeak"]["is_configured"] is True
    assert rows["stt", "pocketsphinx"]["works"] is True
    assert rows["stt", "faster_whisper"]["works"] is False
    assert rows["planner", "openai"]["note"]
    assert rows["recorder", "mcap"]["works"] is True


async def test_doctor_says_bad_settings_of_an_agent_in_one_sentence(tmp_path: Path) -> None:
    done = await command(
        "doctor",
        cwd=tmp_path,
        **{**environment(tmp_path), "HUB_AGENTS": "stt", "STT_BEAM_SIZE": "many"},
    )

    assert (done.returncode, done.stdout) == (2, "")
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("robot-hub: stt: STT_BEAM_SIZE is 'many'")


async def test_doctor_shows_a_table_for_people(tmp_path: Path) -> None:
    done = await command(
        "doctor",
        cwd=tmp_path,
        **{**environment(tmp_path), "HUB_AGENTS": "tts", "TTS_BACKEND": "espeak"},
    )

    assert done.returncode == 0
    for words in ("kind", "first answer (ms)", "memory (MiB)", "espeak", "yes", "GPU: "):
        assert words in done.stdout


# setup


async def setup(folder: Path, *options: str, **settings: str) -> tuple[int, str, str]:
    done = await command("setup", *options, cwd=folder, **{**environment(folder), **settings})
    return done.returncode, done.stdout, done.stderr


async def test_a_dry_run_shows_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    code, said, _ = await setup(tmp_path, "--profile", "laptop", "--dry-run")

    assert code == 0
    assert "$ robot-hub models pull " in said
    assert "STT_BACKEND=faster_whisper" in said
    assert "TTS_BACKEND=kokoro" in said
    assert inside(tmp_path) == []


async def test_a_machine_is_looked_at_where_no_profile_is_named(tmp_path: Path) -> None:
    code, said, _ = await setup(tmp_path, "--dry-run")

    assert code == 0
    assert "This machine gets the profile " in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--profile", "pi"), "nobody can be asked whether to go on; say --yes"),
        (("--profile", "mainframe"), "there is no profile 'mainframe'; there are pi, laptop, gpu"),
    ],
)
async def test_what_setup_cannot_do_is_one_sentence(
    options: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    code, _, errors = await setup(tmp_path, *options)

    assert (code, errors) == (2, f"robot-hub: {sentence}\n")
    assert inside(tmp_path) == []


@pytest.mark.skipif(bool(Nvml().read().gpus), reason="there is a GPU here")
async def test_the_profile_gpu_needs_a_gpu(tmp_path: Path) -> None:
    code, _, errors = await setup(tmp_path, "--profile", "gpu", "--yes")

    assert code == 2
    assert "the profile gpu needs a GPU" in errors


@pytest.mark.engine
async def test_a_setup_that_needs_nothing_is_complete_and_keeps_what_stood_there(
    tmp_path: Path,
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("# mine\nSTT_BACKEND=pocketsphinx\nTTS_BACKEND=\nSERVER_PORT=8200\n")
    env_file.chmod(0o644)

    code, said, errors = await setup(
        tmp_path, "--profile", "pi", "--yes", HUB_AGENTS="stt,planner,tts"
    )

    assert (code, errors) == (0, "")
    assert "recogniser: stays STT_BACKEND=pocketsphinx" in said
    assert env_file.read_text() == (
        "# mine\nSTT_BACKEND=pocketsphinx\nTTS_BACKEND=espeak\nSERVER_PORT=8200\n"
        "\n# robot-hub setup --profile pi\nLLM_BACKEND=reflex\n"
    )
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert "pocketsphinx" in said[said.index("first answer") :]  # the doctor was here


async def test_without_a_network_what_works_now_is_written(tmp_path: Path) -> None:
    code, said, _ = await setup(tmp_path, "--profile", "laptop", "--yes", HUB_AGENTS="tts")

    assert code == 1
    assert "cannot be fetched" in said
    written = dotenv(tmp_path)
    assert (written["STT_BACKEND"], written["TTS_BACKEND"]) == ("pocketsphinx", "espeak")
    assert written["LLM_BACKEND"] == "reflex"
    assert "robot-hub setup --profile laptop --force" in said


@pytest.mark.engine
async def test_models_are_fetched_written_and_tried(tmp_path: Path) -> None:
    model = tiny_whisper.build(tmp_path / "model")
    repositories = {f"Systran/faster-whisper-{size}": model for size in ("base.en", "small.en")}
    home = tmp_path / "home"
    home.mkdir()

    async with ModelHub(repositories) as hub, OllamaServer() as ollama:
        addresses = {
            "HF_ENDPOINT": hub.url, "OLLAMA_URL": ollama.url, "HUB_AGENTS": "stt,planner",
        }  # fmt: skip
        code, said, _ = await setup(home, "--profile", "laptop", "--yes", **addresses)
        (pulled,) = ollama.pulls
        written = dotenv(home)
        assert (written["LLM_BACKEND"], written["MODEL_NAME"]) == ("ollama", pulled["model"])
        assert written["STT_BACKEND"] == "faster_whisper"
        assert written["TTS_BACKEND"] == "espeak"  # there is no Kokoro
        assert code == 1
        assert "not Kokoro, neural on the CPU: onnx-community/Kokoro" in said

        again, _, _ = await setup(
            home, "--profile", "laptop", "--yes", "--force", "--offline", **addresses
        )
        assert again == 1
        assert dotenv(home) == written
        assert len(ollama.pulls) == 1

        code, document = await doctor(home, OLLAMA_URL=ollama.url, HUB_AGENTS="stt,planner")
    rows = {row["kind"]: row for row in document["engines"]}
    assert code == 0
    assert rows["stt"]["engine"] == "faster_whisper"
    assert rows["planner"]["model"] == pulled["model"]
