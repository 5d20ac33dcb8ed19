"""Where what a profile needs comes from: Ollama over a real socket, installers as commands."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.commands import supplies
from hub.commands.supplies import Installed, NotHad, Supplies, install_command, is_installed
from hub.profiles import Need, NeedKind
from tests.fakes.ollama_server import OllamaServer

NOBODY = "http://127.0.0.1:9"
TINY = Need(NeedKind.OLLAMA, "tiny", "MODEL_NAME")
LARGE = Need(NeedKind.OLLAMA, "large:7b", "MODEL_NAME")


async def obtained(url: str, need: Need, *, offline: bool = False) -> str:
    return await asyncio.to_thread(Supplies(url, "", offline=offline).obtain, need)


async def test_a_model_that_ollama_has_is_not_fetched_again() -> None:
    async with OllamaServer(models=("tiny:latest",)) as server:
        assert await obtained(server.url, TINY) == ""
        assert server.pulls == []


async def test_a_model_that_ollama_does_not_have_is_fetched_once() -> None:
    async with OllamaServer(models=()) as server:
        here = Supplies(server.url, "")
        assert [await asyncio.to_thread(here.obtain, LARGE) for _ in range(2)] == ["", ""]
        assert [pull["model"] for pull in server.pulls] == ["large:7b"]


async def test_offline_nothing_is_fetched() -> None:
    async with OllamaServer(models=("tiny:latest",)) as server:
        assert await obtained(server.url, TINY, offline=True) == ""
        assert await obtained(server.url, LARGE, offline=True) == "Ollama does not have large:7b"
        assert server.pulls == []


@pytest.mark.parametrize(
    ("pull", "reason"),
    [
        ([{"error": "no such model"}], "Ollama cannot fetch large:7b: no such model"),
        ([{"status": "pulling"}], "Ollama stopped fetching large:7b before it was done"),
        ([], "Ollama stopped fetching large:7b before it was done"),
    ],
)
async def test_a_pull_that_fails_is_one_sentence(
    pull: Sequence[dict[str, Any]], reason: str
) -> None:
    async with OllamaServer(models=(), pull=pull) as server:
        assert await obtained(server.url, LARGE) == reason


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ((200, b"<h1>hello</h1>"), "is no Ollama"),
        ((200, b'{"models": [{}]}'), "is no Ollama"),
        ((500, b"broken"), "500"),
    ],
)
async def test_a_server_that_is_no_ollama_is_one_sentence(
    tags: tuple[int, bytes], reason: str
) -> None:
    async with OllamaServer(tags=tags) as server:
        assert reason in await obtained(server.url, TINY)


async def test_an_ollama_that_is_not_there_is_one_sentence() -> None:
    assert (await obtained(NOBODY, TINY)).startswith(f"Ollama at {NOBODY}: ")


@pytest.mark.parametrize(
    ("tags", "is_one"),
    [(None, True), ((200, b"{}"), False), ((200, b"?"), False), ((404, b""), False)],
)
async def test_whether_ollama_runs_is_seen(tags: tuple[int, bytes] | None, is_one: bool) -> None:
    async with OllamaServer(tags=tags) as server:
        assert await asyncio.to_thread(Supplies(server.url, "").has_ollama) is is_one
    assert not await asyncio.to_thread(Supplies(NOBODY, "").has_ollama)


def test_a_directory_is_a_repository_that_is_there(tmp_path: Path) -> None:
    need = Need(NeedKind.REPOSITORY, str(tmp_path), "VLLM_MODEL_NAME")

    assert Supplies(NOBODY, "").obtain(need) == ""


def test_a_repository_that_is_not_on_disk_cannot_be_had_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    need = Need(NeedKind.REPOSITORY, "owner/robot-hub-does-not-exist")

    assert "cannot be fetched" in Supplies(NOBODY, "", offline=True).obtain(need)


def test_a_whisper_that_is_a_directory_without_a_model_is_not_had(tmp_path: Path) -> None:
    need = Need(NeedKind.WHISPER, str(tmp_path), "STT_MODEL_SIZE")

    assert "is not on disk" in Supplies(NOBODY, "").obtain(need)


@pytest.mark.parametrize(
    ("folder", "wanted"),
    [(Path("/src/hub"), ("-e", "/src/hub[vllm]")), (None, ("robot-hub[vllm]",))],
)
def test_an_extra_is_installed_into_the_environment_that_runs(
    folder: Path | None, wanted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supplies, "installed", lambda: Installed(folder))

    command = install_command("vllm")

    assert command[-len(wanted) :] == wanted
    assert sys.executable in command


def test_without_an_installer_an_extra_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(supplies, "find_spec", lambda module: None)

    with pytest.raises(NotHad, match=r"robot-hub\[vllm\] .* neither uv nor pip"):
        install_command("vllm")


def test_an_extra_that_is_not_installed_cannot_be_had_offline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(supplies.MODULES, "vllm", ("no_such_module",))  # type: ignore[arg-type]
    need = Need(NeedKind.EXTRA, "vllm")

    assert Supplies(NOBODY, "", offline=True).obtain(need) == "robot-hub[vllm] is not installed"


@pytest.mark.parametrize(
    ("status", "reason"), [(0, "cannot be imported"), (1, "could not be installed")]
)
def test_an_installer_is_believed_only_if_the_extra_is_there_then(
    status: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(supplies.MODULES, "vllm", ("no_such_module",))  # type: ignore[arg-type]
    installer = (sys.executable, "-c", f"raise SystemExit({status})")
    monkeypatch.setattr(supplies, "install_command", lambda extra: installer)

    assert reason in Supplies(NOBODY, "").obtain(Need(NeedKind.EXTRA, "vllm"))


def test_an_extra_that_is_there_is_not_installed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(supplies.MODULES, "vllm", ("json",))  # type: ignore[arg-type]

    assert is_installed("vllm")
    assert Supplies(NOBODY, "", offline=True).obtain(Need(NeedKind.EXTRA, "vllm")) == ""
