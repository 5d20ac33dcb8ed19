"""Silero voice activity from the file inside faster-whisper: one call per robot.

The first axis of this file is time, so robots cannot share a call: they would hear each other.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.ears.backends import onnx
from agents.ears.backends.base import Heard
from agents.ears.loudness import Samples, is_quiet

WINDOW = 512
CONTEXT = 64

Floats = npt.NDArray[np.float32]


class Memory:
    """One microphone's LSTM state and the last samples it heard."""

    __slots__ = ("cell", "context", "hidden")

    def __init__(self) -> None:
        self.hidden: Floats = np.zeros((1, 1, 128), np.float32)
        self.cell: Floats = np.zeros((1, 1, 128), np.float32)
        self.context: Samples = np.zeros(CONTEXT, np.int16)


class SileroSingleActivity:
    """What is used where the batched file is not installed."""

    name = "silero_single"
    window = WINDOW

    def __init__(self) -> None:
        self._model: Any = None

    async def start(self) -> None:
        """See ``Backend``; a self-test judges silence."""
        file = onnx.data_file("faster_whisper", "assets/silero_vad_v6.onnx")
        self._model = await asyncio.to_thread(onnx.session, file)
        self._infer(Memory(), np.zeros(CONTEXT + WINDOW, np.int16))

    async def close(self) -> None:
        self._model = None

    def memory(self) -> Memory:
        return Memory()

    def score(self, heard: Sequence[Heard]) -> list[float]:
        """See ``VoiceActivity``."""
        return [self._score_one(memory, np.frombuffer(pcm, "<i2")) for memory, pcm in heard]

    def _score_one(self, memory: Memory, samples: Samples) -> float:
        probability = 0.0
        if not is_quiet(samples):
            probability = self._infer(memory, np.concatenate((memory.context, samples)))
        memory.context = samples[-CONTEXT:]
        return probability

    def _infer(self, memory: Memory, sound: Samples) -> float:
        inputs = {
            "input": (sound.astype(np.float32) / 32_768)[None],
            "h": memory.hidden,
            "c": memory.cell,
        }
        output, memory.hidden, memory.cell = self._model.run(None, inputs)
        return float(output.reshape(-1)[0])
