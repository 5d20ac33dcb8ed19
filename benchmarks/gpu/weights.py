"""Writes a language model as one safetensors file, of true size and of no knowledge but a path.

Everything a layer computes is noise, and what it adds to the hidden state is zero: the engine does
all of its work, and the next token depends on the last one alone, by ``path``. Zeros are holes in
the file, which take no room on the disk. The format: huggingface/safetensors, "Format".
"""

import json
import struct
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.gpu.shapes import LanguageShape, tensors

LEAD = 30.0
"""In logits: whatever the temperature, nothing but the path is drawn."""
_NOISE = 0.02
_TILE = 1 << 20
_SEED = 0
_DTYPES = {"float16": "F16", "float32": "F32"}

Floats = npt.NDArray[np.floating]


class Step(NamedTuple):
    """After any of ``last`` comes any of ``following``, each as likely as the others."""

    last: Sequence[int]
    following: Sequence[int]


def write_weights(file: Path, shape: LanguageShape, path: Sequence[Step], dtype: str) -> None:
    """Write the tensors of ``shape`` to ``file``.

    Raises:
        ValueError: ``path`` has more steps than the hidden state has dimensions.
    """
    if len(path) > shape.hidden:
        raise ValueError(f"{len(path)} steps do not fit into {shape.hidden} dimensions")
    kind = np.dtype(dtype)
    header, offsets, end = {}, {}, 0
    for name, size in tensors(shape).items():
        begin, end = end, end + prod(size) * kind.itemsize
        header[name] = {"dtype": _DTYPES[dtype], "shape": size, "data_offsets": (begin, end)}
        offsets[name] = begin
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = noise_tile(kind)
    with file.open("wb") as sink:
        sink.write(struct.pack("<Q", len(text)) + text)
        start = sink.tell()
        sink.truncate(start + end)
        for name, size in tensors(shape).items():
            sink.seek(start + offsets[name])
            _fill(sink, name, prod(size), noise)
        _write_path(sink, start, offsets, shape.hidden, path, kind)


def noise_tile(kind: "np.dtype[np.floating]") -> Floats:
    """A million numbers with a deviation of 0.02, the same every time."""
    random = np.random.default_rng(_SEED)
    return (random.standard_normal(_TILE) * _NOISE).astype(kind)


def _fill(sink: BinaryIO, name: str, count: int, noise: Floats) -> None:
    if "norm" in name:
        sink.write(np.ones(count, noise.dtype).tobytes())
    elif not any(part in name for part in ("o_proj", "down_proj", "lm_head")):
        whole, rest = divmod(count, len(noise))
        tile = noise.tobytes()
        for _ in range(whole):
            sink.write(tile)
        sink.write(tile[: rest * noise.itemsize])


def _write_path(
    sink: BinaryIO,
    start: int,
    offsets: dict[str, int],
    hidden: int,
    path: Sequence[Step],
    kind: "np.dtype[np.floating]",
) -> None:
    # The last norm makes the one coordinate that a token sets as long as the whole vector was.
    marks = (
        ("model.embed_tokens.weight", [step.last for step in path], 1.0),
        ("lm_head.weight", [step.following for step in path], LEAD / hidden**0.5),
    )
    for name, groups, value in marks:
        for dimension, tokens in enumerate(groups):
            row = np.zeros(hidden, kind)
            row[dimension] = value
            for token in tokens:
                sink.seek(start + offsets[name] + token * hidden * kind.itemsize)
                sink.write(row.tobytes())
