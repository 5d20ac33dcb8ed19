"""A sentence encoder of the BERT family with random weights, in the files of a real one."""

import json
import string
from pathlib import Path

import numpy as np

LAYERS, HEADS, SIZE, WIDE, POSITIONS = 2, 4, 32, 64, 40
MOST_TOKENS = 24
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_tiny_bert(directory: Path, *, seed: int = 0, mean: bool = True) -> Path:
    """Write the model into ``directory`` and return it."""
    from safetensors.numpy import save_file

    directory.mkdir(parents=True, exist_ok=True)
    letters = string.ascii_lowercase + string.digits
    vocabulary = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    _write_tokenizer(directory, vocabulary)
    save_file(_weights(len(vocabulary), seed), str(directory / "model.safetensors"))
    config = {
        "model_type": "bert", "hidden_act": "gelu", "hidden_size": SIZE, "intermediate_size": WIDE,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS, "vocab_size": len(vocabulary), "type_vocab_size": 2,
    }  # fmt: skip
    (directory / "config.json").write_text(json.dumps(config))
    (directory / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": MOST_TOKENS})
    )
    (directory / "1_Pooling").mkdir(exist_ok=True)
    pooling = {"pooling_mode_mean_tokens": mean, "pooling_mode_cls_token": not mean}
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return directory


def _write_tokenizer(directory: Path, vocabulary: list[str]) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing

    numbers = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(
        ("[SEP]", numbers["[SEP]"]), ("[CLS]", numbers["[CLS]"])
    )
    tokenizer.save(str(directory / "tokenizer.json"))


def _weights(words: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> np.ndarray:
        return random.normal(0.0, 0.3, shape).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": matrix(words, SIZE),
        "embeddings.position_embeddings.weight": matrix(POSITIONS, SIZE),
        "embeddings.token_type_embeddings.weight": matrix(2, SIZE),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        linear = {f"attention.self.{part}": (SIZE, SIZE) for part in ("query", "key", "value")}
        linear |= {"attention.output.dense": (SIZE, SIZE), "intermediate.dense": (WIDE, SIZE)}
        linear |= {"output.dense": (SIZE, WIDE)}
        for name, shape in linear.items():
            made[f"{layer}.{name}.weight"] = matrix(*shape)
            made[f"{layer}.{name}.bias"] = matrix(shape[0])
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        made[f"{name}.weight"] = 1.0 + matrix(SIZE)
        made[f"{name}.bias"] = matrix(SIZE)
    return made
