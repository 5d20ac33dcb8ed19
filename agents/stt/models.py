"""What a Whisper model is, where it lies, and how it gets there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.runtime.errors import BackendUnavailable

NEEDED = ("model.bin", "tokenizer.json", "config.json")
"""Without its tokenizer beside it, a model would be asked for over the network."""
_FILES = (*NEEDED, "preprocessor_config.json", "vocabulary.*")

_SIZES = ("tiny", "base", "small", "medium")
REPOSITORIES: Mapping[str, str] = {
    **{name: f"Systran/faster-whisper-{name}" for size in _SIZES for name in (size, f"{size}.en")},
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large": "Systran/faster-whisper-large-v3",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
"""Where the model hub keeps the models that have a short name; faster-whisper knows the same ones,
but importing it for that takes 100 MB."""


def find_model(name: str, models_dir: Path | None = None) -> Path | None:
    """The directory of a converted model: ``name`` itself, ``name`` in ``models_dir``, or the
    local cache of the model hub; None if it is nowhere complete."""
    folders = [Path(name)]
    if models_dir is not None:
        folders += [models_dir / name, models_dir / f"faster-whisper-{name}"]
    repository = _repository(name)
    cached = _cached(repository) if repository else None
    if cached is not None:
        folders.append(cached)
    for folder in folders:
        if _is_complete(folder):
            return folder.resolve()
    return None


def models_on_disk() -> dict[str, Path | None]:
    """Every model that has a short name, and where it lies."""
    return {name: find_model(name) for name in sorted(REPOSITORIES)}


def fetch_model(name: str, token: str = "", bars: type[Any] | None = None) -> Path:
    """Blocking. Fetch a model from the model hub into its local cache; return where it lies.

    ``bars`` takes the place of the hub library's progress bars on stderr. What was fetched of a
    model stays when a download breaks off, and the next one goes on from there.

    Raises:
        BackendUnavailable: there is no model of that name, or it cannot be fetched now.
    """
    from huggingface_hub import snapshot_download

    repository = _repository(name)
    if repository is None:
        known = ", ".join(sorted(REPOSITORIES))
        raise BackendUnavailable(f"there is no model {name!r}; there are {known}")
    what = f"whisper model {name} ({repository})"
    try:
        folder = Path(
            snapshot_download(
                repository, allow_patterns=list(_FILES), token=token or None, tqdm_class=bars
            )
        )
    except Exception as error:  # the library and its HTTP client have a dozen kinds of failure
        raise BackendUnavailable(f"{what} cannot be fetched: {_reason(error)}") from error
    if not _is_complete(folder):
        missing = ", ".join(file for file in NEEDED if not (folder / file).is_file())
        raise BackendUnavailable(f"{what} is no model for faster-whisper: it has no {missing}")
    return folder


def is_offline() -> bool:
    """Whether the model hub's library is told to stay off the network (``HF_HUB_OFFLINE``)."""
    from huggingface_hub.constants import is_offline_mode

    return is_offline_mode()


def _is_complete(folder: Path) -> bool:
    return all((folder / file).is_file() for file in NEEDED)


def _repository(name: str) -> str | None:
    return name if "/" in name else REPOSITORIES.get(name)


def _reason(error: BaseException) -> str:
    """One line that says why, from an error of the model hub's library: it writes paragraphs of
    advice, and what happened stands in their cause."""
    if is_offline():
        return "HF_HUB_OFFLINE keeps it off the network"
    lines: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        lines = str(cause).strip().splitlines() or lines
        cause = cause.__cause__
    return lines[0].rstrip(".") if lines else type(error).__name__


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
