"""Smart Turn v3.2: hears in 30 ms whether a sentence is complete.

Model and feature extraction lie in the ``pipecat-ai`` wheel; the one module that is used, NumPy
only, is loaded by its path, so nothing of pipecat is imported.
"""

import asyncio
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.ears.backends import onnx
from agents.runtime.errors import BackendUnavailable

SAMPLES = 8 * 16_000
"""The model always looks at 8 s; shorter sound is padded with silence in front."""

_FOLDER = "audio/turn/smart_turn/"

Floats = npt.NDArray[np.float32]


class SmartTurn:
    """Needs the ``turn`` extra."""

    name = "smart_turn"

    def __init__(self) -> None:
        self._model: Any = None
        self._features: Callable[..., Floats] | None = None

    async def start(self) -> None:
        """See ``Backend``; a self-test judges silence."""
        file = onnx.data_file("pipecat", _FOLDER + "data/smart-turn-v3.2-cpu.onnx")
        self._features = _feature_extractor()
        self._model = await asyncio.to_thread(onnx.session, file)
        await asyncio.to_thread(self.judge, b"\0\0" * SAMPLES)

    async def close(self) -> None:
        self._model = self._features = None

    def judge(self, pcm: bytes) -> float:
        """See ``TurnModel``."""
        assert self._features is not None
        sound = np.frombuffer(pcm, "<i2")[-SAMPLES:].astype(np.float32) / 32_768
        padded = np.pad(sound, (SAMPLES - len(sound), 0))
        features = self._features(padded, do_normalize=True)
        output = self._model.run(None, {"input_features": features[None]})
        return float(output[0].reshape(-1)[0])


def _feature_extractor() -> Callable[..., Floats]:
    path = onnx.data_file("pipecat", _FOLDER + "_whisper_features.py")
    spec = importlib.util.spec_from_file_location("smart_turn_features", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    extractor = getattr(module, "compute_whisper_log_mel_features", None)
    if extractor is None:
        raise BackendUnavailable(f"{path} has no compute_whisper_log_mel_features")
    return extractor  # type: ignore[no-any-return]
