"""Where Kokoro's files are. Nothing is fetched.

They are looked for in this order, and a pair counts only if both are there:

1. ``KOKORO_MODEL`` and ``KOKORO_VOICES``;
2. ``TTS_MODELS_DIR/kokoro``, then ``TTS_MODELS_DIR`` itself: a model ``kokoro*.onnx``, ``model*.onnx``
   or ``onnx/model*.onnx``, and ``voices*.bin``, ``voices*.npz`` or a directory ``voices``;
3. the same in what the local cache of the model hub has of :data:`REPOSITORY`.
"""

from pathlib import Path
from typing import NamedTuple

from agents.runtime.errors import BackendUnavailable
from agents.tts.settings import TtsSettings

REPOSITORY = "onnx-community/Kokoro-82M-v1.0-ONNX"
FILES = ("onnx/model.onnx", "voices/*.bin", "config.json")
"""What of it is needed."""

_MODELS = ("kokoro*.onnx", "model*.onnx", "onnx/model*.onnx")
_VOICES = ("voices*.bin", "voices*.npz", "voices")


class KokoroFiles(NamedTuple):
    """A model, and one file or a directory of its voices."""

    model: Path
    voices: Path


def find_kokoro(settings: TtsSettings) -> KokoroFiles:
    """The files that ``settings`` name or that lie where they are looked for.

    Raises:
        BackendUnavailable: they are nowhere.
    """
    model, voices = settings.kokoro_model, settings.kokoro_voices
    if model is not None and voices is not None:
        for file in (model, voices):
            if not file.exists():
                raise BackendUnavailable(f"{file} does not exist")
        return KokoroFiles(model, voices)
    for folder in _folders(settings.models_dir):
        found = KokoroFiles(
            model or _first(folder, _MODELS) or folder, voices or _first(folder, _VOICES) or folder
        )
        if found.model != folder and found.voices != folder:
            return found
    raise BackendUnavailable(
        "kokoro's model is not on disk: fetch it with `robot-hub setup`, or name its"
        " files by KOKORO_MODEL and KOKORO_VOICES"
    )


def _folders(models_dir: Path | None) -> list[Path]:
    folders = [] if models_dir is None else [models_dir / "kokoro", models_dir]
    cached = _cached()
    return folders if cached is None else [*folders, cached]


def _first(folder: Path, patterns: tuple[str, ...]) -> Path | None:
    return next((file for pattern in patterns for file in sorted(folder.glob(pattern))), None)


def _cached() -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(REPOSITORY, FILES[0])
    return Path(found).parent.parent if isinstance(found, str) else None
