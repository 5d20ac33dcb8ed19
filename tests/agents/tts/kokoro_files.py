"""A model and voices with Kokoro's signature, small enough to be made for every test run.

Each token of a letter or phoneme is 50 ms of a tone, each other one 50 ms of silence, at speed 1.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from agents.tts.kokoro_tokens import VOCABULARY

RATE_HZ = 24_000
TOKEN_MS = 50
FRAMES = 2


class KokoroFiles(NamedTuple):
    model: Path
    voices: Path


def kokoro_files(
    folder: Path,
    *,
    durations: bool = True,
    tokens: str = "tokens",
    whole_speed: bool = False,
    vocabulary: dict[str, int] | None = None,
) -> KokoroFiles:
    """Write both files; ``durations``: the model tells the frames of its tokens."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto as T
    from onnx import helper as h
    from onnx import numpy_helper as nh

    def constant(name: str, value: object, kind: object = np.float32) -> object:
        return nh.from_array(np.array(value, kind), name)

    samples = RATE_HZ * TOKEN_MS / 1000
    nodes = [
        h.make_node("Cast", ["speed"], ["pace"], to=T.FLOAT),
        h.make_node("Div", ["samples", "pace"], ["long"]),
        h.make_node("Reshape", ["long", "scalar"], ["limit"]),
        h.make_node("Range", ["zero", "limit", "one"], ["at"]),
        h.make_node("Mul", ["at", "turn"], ["angle"]),
        h.make_node("Sin", ["angle"], ["tone"]),
        h.make_node("Cast", [tokens], ["ids"], to=T.FLOAT),
        h.make_node("Sub", ["ids", "space"], ["above"]),
        h.make_node("Clip", ["above", "zero", "peak"], ["loud"]),
        h.make_node("Transpose", ["loud"], ["column"]),
        h.make_node("Mul", ["column", "tone"], ["spoken"]),
        h.make_node("Reshape", ["spoken", "flat"], ["dry"]),
        h.make_node("ReduceSum", ["style"], ["styles"], keepdims=0),
        h.make_node("Mul", ["styles", "zero"], ["nothing"]),
        h.make_node("Add", ["dry", "nothing"], ["audio"]),
        h.make_node("Mul", ["ids", "zero"], ["zeros"]),
        h.make_node("Add", ["zeros", "frames"], ["each"]),
        h.make_node("Cast", ["each"], ["duration"], to=T.INT64),
    ]
    constants = [
        constant("samples", samples), constant("zero", 0.0), constant("one", 1.0),
        constant("turn", 2 * np.pi * 440 / RATE_HZ), constant("space", float(VOCABULARY[" "])),
        constant("peak", 0.3), constant("frames", float(FRAMES)),
        constant("scalar", [], np.int64), constant("flat", [-1], np.int64),
    ]  # fmt: skip
    inputs = [
        h.make_tensor_value_info(tokens, T.INT64, [1, "n"]),
        h.make_tensor_value_info("style", T.FLOAT, [1, 256]),
        h.make_tensor_value_info("speed", T.INT32 if whole_speed else T.FLOAT, [1]),
    ]
    outputs = [h.make_tensor_value_info("audio", T.FLOAT, ["samples"])]
    if durations:
        outputs.append(h.make_tensor_value_info("duration", T.INT64, [1, "n"]))
    graph = h.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=9)
    if vocabulary is not None:
        config = json.dumps({"vocab": vocabulary, "n_mels": 80})
        h.set_model_props(model, {"kokoro_config": config})
    files = KokoroFiles(folder / "kokoro-v1.0.onnx", folder / "voices-v1.0.bin")
    onnx.save(model, str(files.model))
    names = ("af_heart", "am_adam", "bf_emma", "ef_dora")
    with files.voices.open("wb") as out:
        np.savez(out, **{name: np.zeros((510, 1, 256), np.float32) for name in names})
    return files
