"""Silero voice activity by onnxruntime, all robots in one call.

The model file lies in the ``pipecat-ai`` wheel; its first axis is a true batch, so robots do not
leak into each other. The call takes about 80 µs for one robot and 30 µs each for many.
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
"""Samples of the window before that the model wants to see again."""

_FULL_SCALE = np.float32(1 / 32_768)
_RATE = np.array(16_000, np.int64)

Floats = npt.NDArray[np.float32]


class Memory:
    """One microphone's recurrent state and the last samples it heard."""

    __slots__ = ("context", "state")

    def __init__(self) -> None:
        self.state: Floats = np.zeros((2, 128), np.float32)
        self.context: Samples = np.zeros(CONTEXT, np.int16)


class SileroActivity:
    """Needs the ``turn`` extra. A window that is too quiet to hold a voice costs no inference."""

    name = "silero"
    window = WINDOW

    def __init__(self) -> None:
        self._model: Any = None

    async def start(self) -> None:
        """See ``Backend``; a self-test judges silence."""
        file = onnx.data_file("pipecat", "audio/vad/data/silero_vad.onnx")
        self._model = await asyncio.to_thread(onnx.session, file)
        self._infer([Memory()], np.zeros((1, CONTEXT + WINDOW), np.int16))

    async def close(self) -> None:
        self._model = None

    def memory(self) -> Memory:
        return Memory()

    def score(self, heard: Sequence[Heard]) -> list[float]:
        """See ``VoiceActivity``."""
        scores = [0.0] * len(heard)
        loud: list[tuple[int, Memory, Samples]] = []
        for index, (memory, pcm) in enumerate(heard):
            samples = np.frombuffer(pcm, "<i2")
            if not is_quiet(samples):
                loud.append((index, memory, np.concatenate((memory.context, samples))))
            memory.context = samples[-CONTEXT:]
        if loud:
            probabilities = self._infer(
                [memory for _, memory, _ in loud], np.stack([sound for _, _, sound in loud])
            )
            for (index, _, _), probability in zip(loud, probabilities, strict=True):
                scores[index] = probability
        return scores

    def _infer(self, memories: Sequence[Memory], sound: Samples) -> list[float]:
        state = np.stack([memory.state for memory in memories], axis=1)
        inputs = {"input": sound.astype(np.float32) * _FULL_SCALE, "state": state, "sr": _RATE}
        output, new_state = self._model.run(None, inputs)
        for index, memory in enumerate(memories):
            memory.state = new_state[:, index]
        return [float(probability) for probability in output[:, 0]]
