"""What every embedder of the memory agent keeps, whatever makes its vectors."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from agents.memory.backends.base import Embedder
from agents.memory.backends.minilm import MiniLmEmbedder, missing
from agents.memory.backends.openai import OpenAiEmbedder, Server
from agents.memory.backends.scripted import ScriptedEmbedder
from tests.agents.memory.tiny_bert import write_tiny_bert
from tests.fakes.embedding_server import Behaviour, EmbeddingServer

TEXTS = (
    "the red ball",
    "The red ball!",
    "x",
    "a long text " * 300,
    "\x01\x1b[31m\ud7ff\n",
    "你好 🤖",
    "?!",
)

Engine = Callable[[Path], AbstractAsyncContextManager[Embedder]]


@asynccontextmanager
async def scripted(_: Path) -> AsyncIterator[Embedder]:
    yield ScriptedEmbedder()


@asynccontextmanager
async def openai(_: Path) -> AsyncIterator[Embedder]:
    async with EmbeddingServer() as server:
        yield OpenAiEmbedder(Server(server.base_url))


@asynccontextmanager
async def openai_in_numbers(_: Path) -> AsyncIterator[Embedder]:
    async with EmbeddingServer(Behaviour(knows_base64=False)) as server:
        yield OpenAiEmbedder(Server(server.base_url, "tiny", dimensions=16))


@asynccontextmanager
async def bert(tmp_path: Path) -> AsyncIterator[Embedder]:
    yield MiniLmEmbedder(write_tiny_bert(tmp_path / "tiny"))


@asynccontextmanager
async def bert_by_its_first_token(tmp_path: Path) -> AsyncIterator[Embedder]:
    yield MiniLmEmbedder(write_tiny_bert(tmp_path / "tiny", mean=False))


@asynccontextmanager
async def minilm(_: Path) -> AsyncIterator[Embedder]:
    yield MiniLmEmbedder()


EXTRA = pytest.mark.skipif(
    find_spec("safetensors") is None, reason="the rag extra is not installed"
)
ENGINES: Sequence[object] = (
    scripted,
    openai,
    openai_in_numbers,
    pytest.param(bert, marks=EXTRA),
    pytest.param(bert_by_its_first_token, marks=EXTRA),
    pytest.param(minilm, marks=pytest.mark.skipif(bool(missing("")), reason=missing(""))),
)


@pytest.fixture(params=ENGINES, ids=lambda engine: getattr(engine, "__name__", None))
async def embedder(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Embedder]:
    async with request.param(tmp_path) as embedder:
        await embedder.start()
        yield embedder
        await embedder.close()


async def test_every_text_gets_one_vector_of_unit_length(embedder: Embedder) -> None:
    for texts in (TEXTS[: embedder.batch], TEXTS[-embedder.batch :]):
        embedded = await embedder.embed(texts)
        assert embedded.vectors.dtype == np.float32
        assert embedded.vectors.shape[0] == len(texts)
        assert np.allclose(np.linalg.norm(embedded.vectors, axis=1), 1.0, atol=1e-5)
        assert embedded.tokens > 0
        assert embedded.truncated >= 0


async def test_a_texts_vector_hangs_on_nothing_that_is_embedded_beside_it(
    embedder: Embedder,
) -> None:
    texts = TEXTS[-embedder.batch :]
    together = (await embedder.embed(texts)).vectors
    for text, vector in zip(texts, together, strict=True):
        (alone,) = (await embedder.embed([text])).vectors
        assert np.allclose(alone, vector, atol=1e-5)


async def test_it_can_say_what_it_is(embedder: Embedder) -> None:
    assert embedder.name
    assert embedder.capacity >= 1
    assert embedder.batch >= 1
    assert isinstance(embedder.model, str)
    assert embedder.space
    assert isinstance(embedder.counters, Counter)
