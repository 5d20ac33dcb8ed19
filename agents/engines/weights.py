"""Where the files of a model are. Nothing is fetched: a robot that waits for gigabytes is broken."""

from pathlib import Path

from agents.runtime.errors import BackendUnavailable

_CONFIG = "config.json"
_WEIGHTS = ("*.safetensors", "*.bin")


def find_weights(name: str) -> Path:
    """The directory of a model: ``name`` itself, or what the local cache of the model hub has.

    Raises:
        BackendUnavailable: ``llm_model_missing``; it is nowhere, or not complete.
    """
    folder = Path(name) if Path(name).is_dir() else _cached(name)
    if folder is None:
        raise _missing(f"{name} is neither a directory nor in the local cache of the model hub")
    if not (folder / _CONFIG).is_file():
        raise _missing(f"{name} has no {_CONFIG}")
    if not any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        raise _missing(f"{name} has no weights ({' or '.join(_WEIGHTS)})")
    return folder.resolve()


def short_name(name: str) -> str:
    """What people call the model: a directory's last part, a repository's whole name."""
    return Path(name).name if Path(name).is_dir() else name


def _cached(repository: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(repository, _CONFIG)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _missing(what: str) -> BackendUnavailable:
    return BackendUnavailable(what, "llm_model_missing")
