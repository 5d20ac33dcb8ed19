"""Sentence encoders of the BERT family in numpy."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from agents.memory.backends.minilm import MiniLmEmbedder, missing
from agents.memory.settings import MemorySettings
from agents.runtime.errors import BackendUnavailable
from tests.agents.memory.tiny_bert import MOST_TOKENS, write_tiny_bert

pytest.importorskip("safetensors", reason="the rag extra is not installed")
pytest.importorskip("threadpoolctl", reason="the rag extra is not installed")
INSTALLED = pytest.mark.skipif(bool(missing("")), reason=missing(""))


async def test_long_texts_are_cut_at_the_models_length_and_counted(tmp_path: Path) -> None:
    embedder = MiniLmEmbedder(write_tiny_bert(tmp_path))
    await embedder.start()
    embedded = await embedder.embed(["a b c", "a " * 500, "a " * 600])
    await embedder.close()
    assert (embedded.tokens, embedded.truncated) == (5 + 2 * MOST_TOKENS, 2)
    assert embedder.counters["texts.truncated"] == 2
    assert np.allclose(embedded.vectors[1], embedded.vectors[2])


async def test_other_weights_under_the_same_name_are_another_space(tmp_path: Path) -> None:
    spaces = []
    for place, seed in (("a", 0), ("b", 0), ("c", 1)):
        embedder = MiniLmEmbedder(write_tiny_bert(tmp_path / place / "tiny", seed=seed))
        await embedder.start()
        spaces.append(embedder.space)
        await embedder.close()
    assert spaces[0] == spaces[1]
    assert spaces[0] != spaces[2]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.json", b"{", "config.json is not readable"),
        ("config.json", b'{"model_type": "llama"}', "no BERT"),
        ("model.safetensors", b"\x00" * 100, "cannot be loaded"),
        ("tokenizer.json", b"{}", "tokenizer"),
        ("1_Pooling/config.json", b'{"pooling_mode_max_tokens": true, "pooling_mode_mean_tokens": '
         b'false}', "pools neither"),
    ],
)  # fmt: skip
async def test_files_that_are_damaged_or_of_another_model_are_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    write_tiny_bert(tmp_path)
    (tmp_path / name).write_bytes(content)
    embedder = MiniLmEmbedder(tmp_path)
    with pytest.raises(BackendUnavailable, match=sentence):
        await embedder.start()
    await embedder.close()


async def test_a_model_with_a_layer_too_few_is_refused(tmp_path: Path) -> None:
    config = json.loads((write_tiny_bert(tmp_path) / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    embedder = MiniLmEmbedder(tmp_path)
    with pytest.raises(BackendUnavailable, match=r"it has no encoder\.layer\.2"):
        await embedder.start()
    await embedder.close()


def test_a_place_without_a_model_is_named(tmp_path: Path) -> None:
    settings = MemorySettings(bus_dir=tmp_path, backend="minilm", model=str(tmp_path))
    with pytest.raises(BackendUnavailable, match="no directory with a model"):
        MiniLmEmbedder.from_settings(settings)


async def test_orders_that_are_left_do_not_stand_in_the_way(tmp_path: Path) -> None:
    embedder = MiniLmEmbedder(write_tiny_bert(tmp_path))
    await embedder.start()
    async with asyncio.TaskGroup() as tasks:
        left = [tasks.create_task(embedder.embed(["a " * 20] * 4)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in left:
            task.cancel()
    assert (await embedder.embed(["b"])).vectors.shape == (1, 32)
    await embedder.close()


@INSTALLED
async def test_minilm_finds_the_nearest_passage() -> None:
    embedder = MiniLmEmbedder()
    await embedder.start()
    passages = ["Robots charge at the dock.", "Bread needs yeast.", "The train leaves at noon."]
    vectors = (await embedder.embed(passages)).vectors
    questions = ["Where is the battery filled?", "How is a loaf baked?", "When does it depart?"]
    nearest = ((await embedder.embed(questions)).vectors @ vectors.T).argmax(axis=1)
    await embedder.close()
    assert list(nearest) == [0, 1, 2]
    assert vectors.shape[1] == 384


@pytest.mark.engine
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mean", [True, False])
async def test_vectors_are_those_of_transformers(tmp_path: Path, mean: bool) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    directory = write_tiny_bert(tmp_path, mean=mean)
    texts = ["the red ball", "a b c d e f g 1 2 3"]
    embedder = MiniLmEmbedder(directory)
    await embedder.start()
    ours = (await embedder.embed(texts)).vectors
    model = transformers.BertModel.from_pretrained(directory, add_pooling_layer=False).eval()
    for text, vector in zip(texts, ours, strict=True):
        assert embedder._loaded is not None
        ids = embedder._loaded.tokenizer.encode(text).ids
        with torch.no_grad():
            hidden = model(torch.tensor([ids])).last_hidden_state[0].numpy()
        pooled = hidden.mean(axis=0) if mean else hidden[0]
        assert np.allclose(vector, pooled / np.linalg.norm(pooled), atol=1e-5)
    await embedder.close()
