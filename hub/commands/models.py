"""``robot-hub models``: recognition models that are fetched once and then lie on disk."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from protocols.errors import HubError

_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")


class ModelUnavailable(HubError):
    """The model does not exist or cannot be fetched now."""

    code = "model_unavailable"


def pull(name: str) -> Path:
    """Fetch a faster-whisper model, with a progress bar on stderr; return where it lies.

    Raises:
        ModelUnavailable: there is no model of that name, or no way to the model hub.
    """
    from huggingface_hub import snapshot_download

    repository = _repository(name)
    try:
        return Path(snapshot_download(repository, allow_patterns=list(_FILES)))
    except Exception as error:  # the library and its HTTP client have a dozen kinds of failure
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelUnavailable(
            f"{name} ({repository}) cannot be fetched from the model hub: {reason[0]}"
        ) from None


def show(console: Console) -> None:
    """Print which recognition models there are, and which of them lie on disk."""
    table = Table("model", "on disk")
    for name, repository in sorted(_repositories().items()):
        path = _on_disk(repository)
        table.add_row(name, f"[green]{path}[/]" if path else "no")
    console.print(table)


def _repositories() -> dict[str, str]:
    from faster_whisper import utils

    names: dict[str, str] = utils._MODELS
    return names


def _repository(name: str) -> str:
    if "/" in name:
        return name
    known = _repositories()
    if name not in known:
        raise ModelUnavailable(f"there is no model {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


def _on_disk(repository: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, "model.bin")
    return Path(found).parent if isinstance(found, str) else None
