"""The contract of engines that see, kept by a model on transformers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from agents.engines.language.base import ChatMessage, Ending, LanguageModel, Prompt
from agents.vision.__main__ import build
from agents.vision.backends.seeing import SeeingModel, red_square
from agents.vision.settings import VisionSettings
from tests.contracts.test_vision_backends import (  # noqa: F401
    test_a_schema_is_obeyed_or_refused_by_its_code,
    test_an_answer_that_is_left_can_be_followed_by_another,
    test_every_chat_gets_its_text_and_one_end,
    test_it_can_say_what_it_is,
    test_it_passes_the_self_test,
)
from tests.engines.engines import transformers
from tests.engines.marks import ONE_LOOP
from tests.fakes.engines import running

pytestmark = ONE_LOOP

TOLD = ChatMessage("user", "count", (red_square(),))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(llava: Path) -> AsyncIterator[LanguageModel]:
    model = SeeingModel(transformers(llava))
    await model.start()
    yield model
    await model.close()


async def text_of(model: LanguageModel, prompt: Prompt) -> str:
    return "".join([piece async for piece in model.write(prompt)])


async def test_the_same_seed_draws_the_same_text_and_another_another(model: LanguageModel) -> None:
    wild = Prompt([TOLD], temperature=1.5, max_tokens=40)
    texts = [await text_of(model, wild._replace(seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


async def test_a_narrow_choice_of_tokens_is_no_choice(model: LanguageModel) -> None:
    narrow = Prompt([TOLD], temperature=1.5, top_p=1e-6, max_tokens=20)
    assert len({await text_of(model, narrow._replace(seed=seed)) for seed in (1, 2, 3)}) == 1


async def test_a_text_ends_before_the_stop_and_its_tokens_are_counted(qwen3: Path) -> None:
    model = transformers(qwen3)
    await model.start()
    endings: list[Ending] = []
    asked = [ChatMessage("user", "count")]
    prompt = Prompt(asked, temperature=0.0, max_tokens=20, ended=endings.append)
    whole = await text_of(model, prompt)
    stop = whole[3:5]
    assert await text_of(model, prompt._replace(stop=(stop,))) == whole[: whole.index(stop)]
    await model.close()
    length, stopped = endings
    assert (length.finish_reason, length.completion_tokens) == ("length", 20)
    assert stopped.finish_reason == "stop"
    assert 0 < stopped.completion_tokens < 20
    assert length.prompt_tokens > 0


async def test_the_agent_takes_the_model_on_disk_and_frees_it(llava: Path) -> None:
    settings = VisionSettings(
        bus_dir=Path("/nowhere"), backend="auto", hf_model=str(llava), base_url="",
        ollama_url="http://127.0.0.1:9", anthropic_api_key="", timeout_s=60.0, _env_file=None,
    )  # type: ignore[call-arg] # fmt: skip
    agent = build(settings)
    assert agent.slot is not None
    assert agent.loaded is not None
    async with running(agent.slot):
        await agent.backend.start()
        loaded = agent.loaded()
        assert (agent.slot.about.backend, loaded.model) == ("transformers", llava.name)
        assert loaded.info["sees"] == "true"
        await agent.slot.unload()
        assert agent.slot.engines == ()
        async with agent.slot.lease() as engine:
            assert engine.model == llava.name
    await agent.backend.close()
