"""All models of a run, made on the disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.gpu.language import make_planner, make_voice
from benchmarks.gpu.shapes import Shapes
from benchmarks.gpu.whisper import make_whisper


class Models(NamedTuple):
    """Where they are."""

    planner: Path
    voice: Path
    snac: Path
    whisper: Path


def make_models(folder: Path, shapes: Shapes) -> Models:
    """Write them to ``folder``: at the true shapes 16 GB, of which a third are holes."""
    models = Models(*(folder / name for name in Models._fields))
    for place in models:
        place.mkdir(parents=True)
    make_planner(models.planner, shapes.planner, shapes.dtype)
    make_voice(models.voice, shapes.voice, shapes.dtype)
    make_whisper(models.whisper, shapes.whisper, shapes.dtype)
    make_snac(models.snac, shapes.snac)
    return models


def make_snac(folder: Path, config: Mapping[str, Any]) -> None:
    """A codec as its makers' package builds it, untrained."""
    import torch
    from snac import SNAC

    torch.manual_seed(0)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(SNAC(**config).state_dict(), folder / "pytorch_model.bin")
