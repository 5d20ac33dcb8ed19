"""The forward pass of a BERT sentence encoder in numpy, without torch.

Architecture: Devlin et al. 2019 (post-norm encoder, learned positions); pooling as
sentence-transformers has it. The tokens of all texts of a batch go through the linear layers as one
matrix, without padding; attention is per text.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.memory.backends.base import Vectors

Floats = NDArray[np.float32]

_ROWS = 64
"""Rows whose activation is computed at once: they stay in the cache of a core."""
_MAX_TOKENS = 512


class NotBert(Exception):
    """The files are not those of a BERT encoder; the text says what is missing."""


class Shape(NamedTuple):
    """What ``config.json`` and its neighbours say. ``most_tokens`` of a text are looked at."""

    layers: int
    heads: int
    dimensions: int
    epsilon: float
    most_tokens: int
    pools_first: bool = False


class _Layer(NamedTuple):
    """The matrices of a layer, as x @ matrix.T + bias takes them; query, key and value as one."""

    qkv: Floats
    qkv_bias: Floats
    out: Floats
    out_bias: Floats
    out_norm: tuple[Floats, Floats]
    wide: Floats
    wide_bias: Floats
    narrow: Floats
    narrow_bias: Floats
    narrow_norm: tuple[Floats, Floats]


def shape_of(directory: Path) -> Shape:
    """The shape of the model in ``directory``.

    Raises:
        NotBert: it is another kind of model, or its files are not readable.
    """
    try:
        config = json.loads((directory / "config.json").read_text())
        if config.get("model_type") != "bert" or config.get("hidden_act", "gelu") != "gelu":
            raise NotBert("it is no BERT with GELU activation")
        if config.get("position_embedding_type", "absolute") != "absolute":
            raise NotBert("its positions are not absolute")
        most = min(_optional(directory / "sentence_bert_config.json").get("max_seq_length") or
                   _MAX_TOKENS, config["max_position_embeddings"])  # fmt: skip
        return Shape(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            dimensions=config["hidden_size"],
            epsilon=config.get("layer_norm_eps", 1e-12),
            most_tokens=most,
            pools_first=_pools_first(_optional(directory / "1_Pooling" / "config.json")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotBert(f"its config.json is not readable: {error}") from error


class Bert:
    """An encoder with its weights, named as transformers saves them."""

    def __init__(self, shape: Shape, weights: Mapping[str, Floats]) -> None:
        self._shape = shape
        read = _Reader(weights)
        self._words = read("embeddings.word_embeddings.weight")
        self._positions = read("embeddings.position_embeddings.weight")
        # All tokens of a sentence that stands alone are of the first type.
        self._positions = self._positions + read("embeddings.token_type_embeddings.weight")[0]
        self._norm = read.norm("embeddings.LayerNorm")
        self._layers = [_layer(read, number) for number in range(shape.layers)]
        if self._words.shape[1] != shape.dimensions:
            raise NotBert(f"its words have {self._words.shape[1]} dimensions")

    def encode(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """Unit vectors of texts, each given by its token ids, at least one and at most as many as
        the model has positions."""
        lengths = [len(ids) for ids in texts]
        ids = np.concatenate([np.asarray(ids, np.int64) for ids in texts])
        positions = np.concatenate([np.arange(length) for length in lengths])
        ends = np.cumsum(lengths)
        ranges = [slice(end - length, end) for length, end in zip(lengths, ends, strict=True)]
        hidden = self._normalised(self._words[ids] + self._positions[positions], self._norm)
        for layer in self._layers:
            hidden = self._through(layer, hidden, ranges)
        if self._shape.pools_first:
            pooled = np.stack([hidden[part.start] for part in ranges])
        else:
            pooled = np.stack([hidden[part].mean(axis=0) for part in ranges])
        norms = np.linalg.norm(pooled, axis=1, keepdims=True)
        return np.asarray(pooled / np.maximum(norms, 1e-12), np.float32)

    def _through(self, layer: _Layer, hidden: Floats, ranges: Sequence[slice]) -> Floats:
        together = hidden @ layer.qkv.T
        together += layer.qkv_bias
        context = np.empty_like(hidden)
        for part in ranges:
            context[part] = self._attended(together[part])
        attended = hidden + layer.out_bias
        attended += context @ layer.out.T
        hidden = self._normalised(attended, layer.out_norm)
        wide = hidden @ layer.wide.T
        wide += layer.wide_bias
        for begin in range(0, len(wide), _ROWS):
            _gelu(wide[begin : begin + _ROWS])
        narrow = hidden + layer.narrow_bias
        narrow += wide @ layer.narrow.T
        return self._normalised(narrow, layer.narrow_norm)

    def _attended(self, qkv: Floats) -> Floats:
        """Attention within one text."""
        length = len(qkv)
        split = qkv.reshape(length, 3, self._shape.heads, -1).transpose(1, 2, 0, 3)
        query, key, value = split
        scores = query @ key.transpose(0, 2, 1)
        scores *= np.float32(1.0 / np.sqrt(query.shape[-1]))
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return np.asarray((scores @ value).transpose(1, 0, 2).reshape(length, -1), np.float32)

    def _normalised(self, x: Floats, norm: tuple[Floats, Floats]) -> Floats:
        weight, bias = norm
        x = x - x.mean(axis=-1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x)[:, None] / np.float32(x.shape[-1])
        x /= np.sqrt(variance + np.float32(self._shape.epsilon))
        x *= weight
        x += bias
        return x


class _Reader:
    """Weights by name, with or without the prefix of a model that has more than an encoder."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._weights = weights
        self._prefix = "bert." if "bert.embeddings.word_embeddings.weight" in weights else ""

    def __call__(self, name: str) -> Floats:
        weight = self._weights.get(self._prefix + name)
        if weight is None:
            raise NotBert(f"it has no {name}")
        return np.ascontiguousarray(weight, np.float32)

    def norm(self, name: str) -> tuple[Floats, Floats]:
        return self(f"{name}.weight"), self(f"{name}.bias")


def _layer(read: _Reader, number: int) -> _Layer:
    name = f"encoder.layer.{number}"
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    return _Layer(
        qkv=np.concatenate([read(f"{part}.weight") for part in parts]),
        qkv_bias=np.concatenate([read(f"{part}.bias") for part in parts]),
        out=read(f"{name}.attention.output.dense.weight"),
        out_bias=read(f"{name}.attention.output.dense.bias"),
        out_norm=read.norm(f"{name}.attention.output.LayerNorm"),
        wide=read(f"{name}.intermediate.dense.weight"),
        wide_bias=read(f"{name}.intermediate.dense.bias"),
        narrow=read(f"{name}.output.dense.weight"),
        narrow_bias=read(f"{name}.output.dense.bias"),
        narrow_norm=read.norm(f"{name}.output.LayerNorm"),
    )


def _gelu(x: Floats) -> None:
    """x·Φ(x) in place, Φ by Abramowitz and Stegun 7.1.26 (error below 1.5e-7)."""
    z = np.abs(x)
    z *= np.float32(np.sqrt(0.5))
    t = 1.0 / (1.0 + np.float32(0.3275911) * z)
    y = t * np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        y += np.float32(coefficient)
        y *= t
    z *= z
    np.negative(z, out=z)
    np.exp(z, out=z)
    y *= z  # 1 - erf(|x|/√2)
    y *= np.float32(0.5)
    np.multiply(x, np.where(x < 0, y, np.float32(1.0) - y), out=x)


def _optional(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found = json.loads(path.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds no object")
    return found


def _pools_first(pooling: Mapping[str, Any]) -> bool:
    """Whether the first token's vector stands for the text, else the mean of all.

    Raises:
        NotBert: the model pools in another way.
    """
    first = bool(pooling.get("pooling_mode_cls_token", False))
    mean = bool(pooling.get("pooling_mode_mean_tokens", not first))
    if first == mean:
        raise NotBert("it pools neither by its mean nor by its first token")
    return first
