"""microWakeWord: a streaming model of 60 kB for each wake word, run by TensorFlow Lite.

Library and models lie in the ``pymicro-wakeword`` wheel. A model's state is that of one microphone,
so each has its own; 32 ms of sound take some 0.1 ms, without the GIL.
"""

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.ears.backends.base import Call
from agents.runtime.errors import BackendUnavailable

_LAG_SAMPLES = 3_200
"""200 ms: it is sure of a word that long after its end (measured: 120 to 230 ms)."""
_FRAME_BYTES = 320


class _Ear:
    """What one microphone's models know."""

    __slots__ = ("features", "models")

    def __init__(self, features: Any, models: list[Any]) -> None:
        self.features = features
        self.models = models


class MicroWake:
    """Needs the ``wake`` extra. ``words`` are names of the library's own models or paths of others'
    JSON files; ``threshold`` 0 leaves it to each model."""

    name = "micro_wake"
    lag_samples = _LAG_SAMPLES

    def __init__(self, words: Sequence[str], threshold: float = 0.0) -> None:
        self._words, self._threshold = tuple(words), threshold
        self._library: Any = None

    async def start(self) -> None:
        """See ``Backend``; a self-test hears silence.

        Raises:
            BackendUnavailable: the library is not installed, or a word has no model.
        """
        if importlib.util.find_spec("pymicro_wakeword") is None:
            raise BackendUnavailable("pymicro-wakeword is not installed; install robot-hub[wake]")
        self._library = await asyncio.to_thread(importlib.import_module, "pymicro_wakeword")
        self.hear(self.memory(), bytes(_FRAME_BYTES))

    async def close(self) -> None:
        self._library = None

    def memory(self) -> _Ear:
        """See ``WakeWord``."""
        # Last: to free the features of version 2.0 while an error is on its way swallows the error.
        models = [self._model(word) for word in self._words]
        return _Ear(self._library.MicroWakeWordFeatures(), models)

    def hear(self, memory: _Ear, pcm: bytes) -> Call | None:
        """See ``WakeWord``."""
        call = None
        for features in memory.features.process_streaming(pcm):
            for model in memory.models:
                probability = model.process_streaming_prob(features) or 0.0
                if probability > model.probability_cutoff:
                    call = call or Call(model.id, float(probability))
        return call

    def _model(self, word: str) -> Any:
        known = [model.value for model in self._library.Model]
        load = self._library.MicroWakeWord
        try:
            if word in known:
                model = load.from_builtin(self._library.Model(word))
            else:
                model = load.from_config(Path(word).expanduser())
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BackendUnavailable(
                f"no wake word model {word!r}: {error}; the library brings {', '.join(known)}"
            ) from error
        if self._threshold:
            model.probability_cutoff = self._threshold
        return model
