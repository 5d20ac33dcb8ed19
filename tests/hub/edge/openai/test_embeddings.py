"""``/v1/embeddings``, asked by OpenAI's own client."""

import base64

import httpx
import numpy as np

from agents.memory.backends.scripted import ScriptedEmbedder
from tests.hub.edge.openai.conftest import Api

TEXTS = ["a red ball", "a red balloon", "the weather"]


async def test_texts_become_vectors_in_either_form(api: Api) -> None:
    packed = await api.client.embeddings.create(model="tiny-vectors", input=TEXTS)
    plain = await api.client.embeddings.create(
        model="text-embedding-3-small", input=TEXTS, encoding_format="float", dimensions=64
    )
    assert [each.index for each in packed.data] == [0, 1, 2]
    vectors = np.array([each.embedding for each in packed.data], np.float32)
    expected = (await ScriptedEmbedder("tiny-vectors").embed(TEXTS)).vectors
    assert np.array_equal(vectors, expected)
    assert np.allclose([each.embedding for each in plain.data], expected)
    assert packed.model == plain.model == "tiny-vectors"
    assert packed.usage.model_dump() == {"prompt_tokens": 8, "total_tokens": 8}


async def test_a_vector_is_base64_of_little_endian_floats(api: Api) -> None:
    async with httpx.AsyncClient(base_url=api.url, trust_env=False) as http:
        body = {"model": "tiny-vectors", "input": "hello", "encoding_format": "base64"}
        answer = (await http.post("/v1/embeddings", json=body)).json()
    (vector,) = (await ScriptedEmbedder("tiny-vectors").embed(["hello"])).vectors
    assert base64.b64decode(answer["data"][0]["embedding"]) == vector.astype("<f4").tobytes()


async def test_many_texts_at_once(api: Api) -> None:
    texts = [f"text number {n} {'word ' * 100}" for n in range(2_048)]
    answer = await api.client.embeddings.create(
        model="tiny-vectors", input=texts, encoding_format="float"
    )
    assert len(answer.data) == 2_048
    (record,) = api.there.desk.records()
    assert record.job.job_class.name == "BATCH"
