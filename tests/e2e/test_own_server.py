"""A hub as the server of another one's engines: what we ask of servers, asked of a real one."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from agents.engines.language.base import ChatMessage, Picture, Prompt
from agents.engines.language.openai import OpenAiModel
from agents.engines.language.openai import Server as ModelServer
from agents.image_gen.backends.base import Made, Order
from agents.image_gen.backends.openai import OpenAiPainter
from agents.image_gen.backends.openai import Server as ImageServer
from agents.memory.backends.openai import OpenAiEmbedder
from agents.memory.backends.openai import Server as VectorServer
from agents.runtime.latch import Latch
from tests.e2e.processes import Processes, running
from tests.fakes.pictures import jpeg

pytestmark = pytest.mark.e2e

MODELS = {
    "HUB_AGENTS": "planner,vision,memory,image_gen",
    **{f"{kind}_BACKEND": "scripted" for kind in ("LLM", "VISION", "EMBED", "IMAGE")},
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Processes]:
    async with running(tmp_path, MODELS) as hub:
        await hub.ready()
        yield hub


async def test_our_clients_are_served_by_a_real_server(server: Processes) -> None:
    base = f"{server.url}/v1"

    embedder = OpenAiEmbedder(VectorServer(base, "text-embedding-3-small"))
    await embedder.start()
    vectors = await embedder.embed(["a red ball", "a red ball", "a report of last year"])
    assert (vectors.vectors[0] == vectors.vectors[1]).all()
    assert not (vectors.vectors[0] == vectors.vectors[2]).all()
    await embedder.close()

    painter = OpenAiPainter(ImageServer(base, "dall-e-3"), Latch())
    await painter.start()
    order = Order(prompt="a red ball", width=256, height=256, steps=2, seeds=(7,))
    async with aclosing(painter.paint(order)) as news:
        made = [one async for one in news if isinstance(one, Made)]
    assert [(one.width, one.height) for one in made] == [(256, 256)]
    assert made[0].png.startswith(b"\x89PNG")
    await painter.close()

    model = OpenAiModel(ModelServer(base, "gpt-4o"))
    await model.start()
    shown = ChatMessage("user", "What is this?", (Picture("image/jpeg", jpeg()),))
    async with aclosing(model.write(Prompt([shown], max_tokens=60))) as pieces:
        text = "".join([piece async for piece in pieces])
    assert text
    await model.close()
