"""Directories of language models as vLLM loads them: configuration, tokenizer and weights."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from agents.planner.prompt import PLAN_RULES, RULES
from agents.tts.orpheus_codes import CODES, FIRST_CODE, FRAME_TOKENS, START_OF_SPEECH
from benchmarks.gpu.answer import PIECES
from benchmarks.gpu.shapes import LanguageShape
from benchmarks.gpu.weights import Step, write_weights

_END, _TURN, _THOUGHT = "<|im_end|>", "<|im_start|>", "</think>"
_SPECIAL = (_END, _TURN, _THOUGHT)
_TEMPLATE = (
    "{%- for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{%- endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n</think>{% endif %}"
)
"""ChatML, which Qwen3 speaks; its last token is where the path begins."""
_MERGED = 1_200
"""Tokens learned from the rules, so that a prompt has about a token for each word."""


def make_planner(folder: Path, shape: LanguageShape, dtype: str) -> None:
    """A Qwen3 that gives one answer, always the same (``answer.py``)."""
    vocabulary = _tokenizer(folder, shape.vocabulary, _learned())
    route = [_THOUGHT, *(as_token(piece) for piece in PIECES), _END]
    ids = [vocabulary[token] for token in route]
    path = [Step((last,), (following,)) for last, following in pairwise(ids)]
    end = vocabulary[_END]
    _configure(
        folder, shape, dtype, "Qwen3ForCausalLM", {"model_type": "qwen3", "eos_token_id": end}
    )
    write_weights(folder / "model.safetensors", shape, path, dtype)


def make_voice(folder: Path, shape: LanguageShape, dtype: str) -> None:
    """A Llama that draws codes in the order of Orpheus' frames, and never ends by itself."""
    _tokenizer(folder, shape.vocabulary, None)
    ids = {"model_type": "llama", "bos_token_id": 128_000, "eos_token_id": 128_009}
    _configure(folder, shape, dtype, "LlamaForCausalLM", ids)
    write_weights(folder / "model.safetensors", shape, frame_path(), dtype)


def frame_path() -> list[Step]:
    """From each place of a frame to the next, any code at each."""
    places = [
        range(FIRST_CODE + CODES * place, FIRST_CODE + CODES * (place + 1))
        for place in range(FRAME_TOKENS)
    ]
    begins = Step((START_OF_SPEECH,), places[0])
    return [begins, *(Step(places[at - 1], places[at]) for at in range(FRAME_TOKENS))]


def as_token(piece: str) -> str:
    """``piece`` (ASCII without control characters) in the alphabet of byte-level tokenizers."""
    return piece.replace(" ", "Ġ")


def _learned() -> Any:
    """A byte-level BPE of the planner's own rules, with every piece of the answer as a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=_MERGED, initial_alphabet=alphabet, show_progress=False
    )
    learned.train_from_iterator([RULES, PLAN_RULES], trainer)
    model = json.loads(learned.to_str())["model"]
    vocabulary: dict[str, int] = model["vocab"]
    for piece in PIECES:
        vocabulary.setdefault(as_token(piece), len(vocabulary))
    return models.BPE(vocab=vocabulary, merges=[tuple(pair) for pair in model["merges"]])


def _tokenizer(folder: Path, size: int, model: Any) -> dict[str, int]:
    """Write a tokenizer with ``size`` tokens and return its vocabulary; without ``model`` it knows
    bytes alone."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    model = model or models.BPE(vocab={letter: at for at, letter in enumerate(letters)}, merges=[])
    known = Tokenizer(model).get_vocab_size()
    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = [AddedToken(token, special=True) for token in _SPECIAL]
    document = json.loads(made.to_str())
    # Words that nobody writes, so that ids are as many, and decode, as in the published one.
    fillers = {f"<t{at}>": at for at in range(known, size - len(special))}
    document["model"]["vocab"].update(fillers)
    full = Tokenizer.from_str(json.dumps(document))
    full.add_special_tokens(special)
    full.save(str(folder / "tokenizer.json"))
    told = {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": _END, "pad_token": _END,
        "chat_template": _TEMPLATE,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return dict(full.get_vocab())


def _configure(
    folder: Path, shape: LanguageShape, dtype: str, architecture: str, ids: Mapping[str, object]
) -> None:
    sizes: dict[str, object] = {
        "architectures": [architecture],
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "max_position_embeddings": shape.positions,
        "rms_norm_eps": shape.eps,
        "rope_parameters": dict(shape.rope),
        "hidden_act": "silu",
        "attention_bias": False,
        "tie_word_embeddings": False,
        "dtype": dtype,
    }
    (folder / "config.json").write_text(json.dumps({**sizes, **ids}))
