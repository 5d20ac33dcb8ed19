"""What an SDXL model is on disk, and where it lies. Nothing is fetched."""

from importlib.util import find_spec
from pathlib import Path

import msgspec

INDEX = "model_index.json"
HEAVY = ("unet", "vae", "text_encoder", "text_encoder_2")
"""Parts that have weights of their own."""
PIPELINES = frozenset(
    {
        "StableDiffusionXLPipeline",
        "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInpaintPipeline",
    }
)
"""What a model may say that it is; all three are made of the same parts."""
LIBRARIES = frozenset({"diffusers", "transformers"})
"""Where the classes of its parts may come from: an index could name any module."""
HALF = "fp16"
"""Variant of weights that some repositories have, or have alone."""

_NEEDED = {"torch": "llm", "transformers": "llm", "diffusers": "image", "PIL": "image"}


def not_installed() -> str:
    """Which libraries diffusers lacks here, in words; empty if none."""
    absent = [library for library in _NEEDED if find_spec(library) is None]
    if not absent:
        return ""
    extras = ",".join(sorted({_NEEDED[library] for library in absent}))
    return f"{' and '.join(absent)} not installed; install robot-hub[{extras}]"


def find_model(name: str, cache_dir: Path | None = None) -> Path | None:
    """The directory of a model: ``name`` itself, ``name`` in ``cache_dir``, or what the model hub's
    cache (there, or in its usual place) has; None if it is nowhere."""
    folders = [Path(name)] if cache_dir is None else [Path(name), cache_dir / name]
    cached = _cached(name, cache_dir)
    if cached is not None:
        folders.append(cached)
    return next((folder.resolve() for folder in folders if (folder / INDEX).is_file()), None)


def defect(folder: Path) -> str:
    """Why the model in ``folder`` cannot be loaded, in words; empty if nothing is seen."""
    try:
        index = msgspec.json.decode((folder / INDEX).read_bytes(), type=dict[str, object])
    except (OSError, msgspec.DecodeError) as error:
        return f"{INDEX} cannot be read: {error}"
    kind = index.get("_class_name")
    if kind not in PIPELINES:
        return f"it is a {kind}, and Stable Diffusion XL is what can be loaded"
    for part, origin in index.items():
        if isinstance(origin, list) and origin and origin[0] not in LIBRARIES | {None}:
            return f"its {part} comes from {origin[0]}, which is not loaded from a model"
    lacking = [part for part in HEAVY if not any((folder / part).glob("*.safetensors"))]
    return f"{' and '.join(lacking)} have no weights (*.safetensors)" if lacking else ""


def variant_of(folder: Path) -> str | None:
    """The variant to load: half precision where a repository has nothing else."""
    names = [path.name for path in (folder / "unet").glob("*.safetensors")]
    return HALF if names and all(f".{HALF}." in name for name in names) else None


def short_name(name: str) -> str:
    """What people call the model: a directory's last part, a repository's whole name."""
    return Path(name).name if Path(name).is_dir() else name


def _cached(repository: str, cache_dir: Path | None) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        found = try_to_load_from_cache(repository, INDEX, cache_dir=cache_dir)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
