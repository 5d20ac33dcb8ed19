"""Embeddings from a server of the OpenAI protocol."""

import json

import pytest

from agents.memory.backends.openai import OpenAiEmbedder, Server
from agents.runtime.errors import AgentError, BackendUnavailable
from tests.fakes.embedding_server import Behaviour, EmbeddingServer


def answer(*embeddings: object) -> bytes:
    data = [{"index": index, "embedding": one} for index, one in enumerate(embeddings)]
    return json.dumps({"data": data}).encode()


async def test_the_first_listed_model_is_asked_with_key_and_dimensions() -> None:
    async with EmbeddingServer() as server:
        embedder = OpenAiEmbedder(Server(server.base_url, api_key="k", dimensions=8))
        await embedder.start()
        embedded = await embedder.embed(["one", "two"])
        await embedder.close()
    assert embedder.model == "tiny-embed"
    assert embedder.space == "openai/tiny-embed/8"
    assert embedded.tokens == 14
    assert server.requests[-1] == {
        "model": "tiny-embed",
        "input": ["one", "two"],
        "dimensions": 8,
        "encoding_format": "base64",
    }
    assert all("authorization: bearer k" in head.lower() for head in server.heads)


async def test_a_server_without_base64_is_asked_for_numbers_from_then_on() -> None:
    async with EmbeddingServer(Behaviour(knows_base64=False)) as server:
        embedder = OpenAiEmbedder(Server(server.base_url, "m"))
        await embedder.start()
        await embedder.embed(["one"])
        await embedder.close()
    assert ["encoding_format" in asked for asked in server.requests] == [True, False, False]
    assert embedder.counters["formats.refused"] == 1


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (Behaviour(status=429), "backend_busy"),
        (Behaviour(status=401), "backend_unavailable"),
        (Behaviour(status=404), "backend_unavailable"),
        (Behaviour(status=503), "backend_unavailable"),
        (Behaviour(status=413), "embed_error"),
        (Behaviour(hangs=True), "backend_timeout"),
        (Behaviour(raw=b"no json"), "embed_error"),
        (Behaviour(raw=b'{"data": []}'), "embed_error"),
        (Behaviour(drops_last=True), "embed_error"),
        (Behaviour(raw=answer("not base64!", "AAAA")), "embed_error"),
        (Behaviour(raw=answer("AAA=", "AAA=")), "embed_error"),
        (Behaviour(raw=answer([], [])), "embed_error"),
        (Behaviour(raw=answer([1.0, 2.0], [1.0])), "embed_error"),
        (Behaviour(raw=answer([0.0, 0.0], [1.0, 0.0])), "embed_error"),
        (Behaviour(raw=answer([1.0] * 7, [1.0] * 7)), "embed_error"),
        (Behaviour(raw=answer("AADAfwAAgD8=", "AACAPwAAgD8=")), "embed_error"),
    ],
)
async def test_whatever_a_server_does_is_a_coded_error(how: Behaviour, code: str) -> None:
    async with EmbeddingServer() as server:
        embedder = OpenAiEmbedder(Server(server.base_url, "m", timeout_s=0.5))
        await embedder.start()
        server.how = how
        with pytest.raises(AgentError) as caught:
            await embedder.embed(["a secret", "two"])
        assert caught.value.code == code
        assert "secret" not in str(caught.value)
        server.how = Behaviour()
        assert len((await embedder.embed(["one"])).vectors) == 1
        await embedder.close()


async def test_a_server_that_is_away_or_has_no_model_cannot_be_started() -> None:
    async with EmbeddingServer(Behaviour(status=404)) as server:
        embedder = OpenAiEmbedder(Server(server.base_url, "none"))
        with pytest.raises(BackendUnavailable, match="404"):
            await embedder.start()
        await embedder.close()
    embedder = OpenAiEmbedder(Server(server.base_url, "m"))
    with pytest.raises(BackendUnavailable, match="cannot be reached"):
        await embedder.start()
    await embedder.close()
