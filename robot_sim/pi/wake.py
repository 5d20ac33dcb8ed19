"""A wake word that is heard on the robot itself, so that a hub need not listen for it."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from robot_sim.errors import NoWakeWord

_ONE_WORD_BYTES = 32_000
"""A second: for so long after its end a word stays likely."""


class WakeListener:
    """Hears one word in the sound of one microphone. ``word`` is the name of one of the library's
    models, or the path of another's JSON file.

    Raises:
        NoWakeWord: the library is not installed, or has no such model.
    """

    def __init__(self, word: str) -> None:
        if importlib.util.find_spec("pymicro_wakeword") is None:
            raise NoWakeWord("wake words need pymicro-wakeword: install robot-hub-supervisor[wake]")
        library = importlib.import_module("pymicro_wakeword")
        known = [model.value for model in library.Model]
        load = library.MicroWakeWord
        try:
            model = (
                load.from_builtin(library.Model(word))
                if word in known
                else load.from_config(Path(word).expanduser())
            )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise NoWakeWord(
                f"no wake word model {word!r}: {error}; the library brings {', '.join(known)}"
            ) from error
        self.word: str = model.id
        self._model: Any = model
        self._features: Any = library.MicroWakeWordFeatures()
        self._deaf_bytes = 0

    def hear(self, pcm: bytes) -> str:
        """The word if it has ended in ``pcm`` (16 kHz mono s16le, all of it in order), once each
        time it is said; else empty."""
        said = False
        for features in self._features.process_streaming(pcm):
            probability = self._model.process_streaming_prob(features) or 0.0
            said = said or probability > self._model.probability_cutoff
        self._deaf_bytes = max(0, self._deaf_bytes - len(pcm))
        if not said or self._deaf_bytes:
            return ""
        self._deaf_bytes = _ONE_WORD_BYTES
        return self.word
