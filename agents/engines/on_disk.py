"""Whether a model for transformers could be loaded from this machine, without loading it."""

from importlib.util import find_spec
from pathlib import Path


def missing(name: str) -> str:
    """What stands in the way of loading ``name`` from disk, in words; empty if nothing does."""
    absent = [library for library in ("torch", "transformers") if find_spec(library) is None]
    if absent:
        return f"{' and '.join(absent)} not installed"
    if not _on_disk(name):
        return f"model {name} is not on disk"
    return ""


def _on_disk(name: str) -> bool:
    """Whether ``name`` is the directory of a model, or in the local cache of the model hub."""
    if (Path(name) / "config.json").is_file():
        return True
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return False
    try:
        return isinstance(try_to_load_from_cache(name, "config.json"), str)
    except HFValidationError:
        return False
