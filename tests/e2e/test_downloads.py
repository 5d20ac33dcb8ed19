"""Models that are fetched: real processes, a real download over loopback."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from agents.stt.models import REPOSITORIES
from hub.broker.zmq import ZmqHubBus
from hub.settings import KNOWN_NAMES
from protocols.envelope import AnyEnvelope
from protocols.messages.agent import AgentProgress, AgentReady
from tests.agents.stt import tiny_whisper
from tests.fakes.model_hub import ModelHub

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
TINY = "Systran/faster-whisper-tiny.en"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper.build(tmp_path_factory.mktemp("hub") / "tiny")


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


async def started(*args: str, cwd: Path, **environment: str) -> asyncio.subprocess.Process:
    clean = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251
        if name not in KNOWN_NAMES and not name.startswith("HF_")
    }
    given = {"PYTHONPATH": str(ROOT), "HF_HOME": str(cwd / "cache"), "HUB_LOG_LEVEL": "ERROR"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *args),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={**clean, **given, **environment},
    )


async def agent(cwd: Path, hub: ModelHub | None = None, **environment: str) -> tuple[int, str]:
    """Exit code and last line of an stt that wants a model of the hub and cannot have it."""
    wanted = {
        "HUB_BUS_DIR": str(cwd / "bus"),
        "STT_BACKEND": "faster_whisper",
        "STT_MODEL_SIZE": "tiny.en",
        "HF_ENDPOINT": hub.url if hub else "http://127.0.0.1:9",
    }
    process = await started("agents.stt", cwd=cwd, **{**wanted, **environment})
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode().splitlines()[-1]


async def test_a_model_named_by_the_user_is_fetched_with_progress_and_then_loaded(
    model: Path, tmp_path: Path
) -> None:
    bus = ZmqHubBus(tmp_path / "bus", 1, clock=time.monotonic_ns)
    facts: asyncio.Queue[AnyEnvelope] = asyncio.Queue()
    bus.on_peers(lambda name, hello: None, lambda name, reason: None)
    for fact in (AgentProgress, AgentReady):
        bus.subscribe(fact, lambda envelope, _: facts.put_nowait(envelope))
    told = []
    async with asyncio.timeout(60), ModelHub({TINY: model}) as hub, bus:
        process = await started(
            "agents.stt",
            cwd=tmp_path,
            HUB_BUS_DIR=str(tmp_path / "bus"),
            STT_BACKEND="faster_whisper",
            STT_MODEL_SIZE="tiny.en",
            HF_ENDPOINT=hub.url,
            HF_TOKEN="",
            HUGGINGFACE_HUB_TOKEN="hf_secret",
        )
        while not isinstance(body := (await facts.get()).body, AgentReady):
            told.append(body)
        process.terminate()
        await process.communicate()
    size = size_of(model)
    assert body.backend == "faster_whisper"
    assert body.model == "tiny.en"
    assert "is not on disk and is fetched" in body.info["reason"]
    assert told[-1] == AgentProgress(
        step="downloading whisper model tiny.en", done=size, total=size, unit="bytes"
    )
    assert any("authorization: bearer hf_secret" in head.lower() for head in hub.heads)


async def test_a_model_that_the_hub_does_not_have_degrades_the_agent_with_one_sentence(
    tmp_path: Path,
) -> None:
    async with ModelHub({}) as hub:
        code, sentence = await agent(tmp_path, hub)
    assert code == 2
    assert sentence.startswith(f"stt: whisper model tiny.en ({TINY}) cannot be fetched: ")
    assert "404" in sentence
    assert sentence.endswith("try `robot-hub models pull tiny.en`")


async def test_a_hub_out_of_reach_degrades_the_agent_with_one_sentence(tmp_path: Path) -> None:
    code, sentence = await agent(tmp_path)
    assert code == 2
    assert "cannot be fetched: [Errno 111] Connection refused" in sentence


@pytest.mark.parametrize("switch", [{"HF_HUB_OFFLINE": "1"}, {"STT_DOWNLOAD": "0"}], ids=str)
async def test_where_nothing_may_be_fetched_nothing_is_asked_for(
    switch: dict[str, str], tmp_path: Path
) -> None:
    async with ModelHub({}) as hub:
        code, sentence = await agent(tmp_path, hub, **switch)
    (name,) = switch
    assert code == 2
    assert sentence.startswith(f"stt: whisper model tiny.en is not on disk and {name}")
    assert sentence.endswith("`robot-hub models pull tiny.en` fetches it")
    assert not any("resolve" in request or "/api/models" in request for request in hub.requests)


async def test_a_repository_that_is_no_whisper_is_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    async with ModelHub({"some/model": tmp_path / "other"}) as hub:
        code, sentence = await agent(tmp_path, hub, STT_MODEL_SIZE="some/model")
    assert code == 2
    assert "is no model for faster-whisper: it has no model.bin, tokenizer.json" in sentence


async def test_the_command_fetches_where_the_agent_looks(model: Path, tmp_path: Path) -> None:
    async with ModelHub({"mobiuslabsgmbh/faster-whisper-large-v3-turbo": model}) as hub:
        process = await started(
            *("hub.cli", "models", "pull", "turbo"), cwd=tmp_path, HF_ENDPOINT=hub.url
        )
        printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    script = "from agents.stt.models import find_model; print(find_model('turbo'))"
    found = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"HF_HOME": str(tmp_path / "cache")},
    )
    where, _ = await found.communicate()
    assert where.decode() == printed.decode() != "None\n"


def test_short_names_mean_what_the_library_means() -> None:
    from faster_whisper.utils import _MODELS

    assert dict(REPOSITORIES) == _MODELS
