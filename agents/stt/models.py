"""Whether a Whisper model is on disk, without loading it."""

from pathlib import Path

NEEDED = ("model.bin", "tokenizer.json", "config.json")
"""Without its tokenizer beside it, a model would be asked for over the network."""


def find_model(name: str, models_dir: Path | None = None) -> Path | None:
    """The directory of a converted model: ``name`` itself, ``name`` in ``models_dir``, or the
    local cache of the model hub; None if it is nowhere complete."""
    folders = [Path(name)]
    if models_dir is not None:
        folders += [models_dir / name, models_dir / f"faster-whisper-{name}"]
    cached = _cached(name if "/" in name else f"Systran/faster-whisper-{name}")
    if cached is not None:
        folders.append(cached)
    for folder in folders:
        if all((folder / file).is_file() for file in NEEDED):
            return folder.resolve()
    return None


def _cached(repository: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(repository, "model.bin")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
