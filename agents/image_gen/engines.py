"""Which engine makes the pictures, and why."""

from pkgutil import resolve_name
from typing import NamedTuple

from agents.image_gen.backends.base import PAINTERS, Painter
from agents.image_gen.models import defect, find_model, not_installed
from agents.image_gen.settings import ImageSettings
from agents.runtime.errors import BackendUnavailable
from agents.runtime.latch import Latch


class Choice(NamedTuple):
    """A painter, not yet loaded, and the reason in words."""

    painter: Painter
    reason: str


def chosen(settings: ImageSettings, latch: Latch) -> Choice:
    """The painter that ``settings`` name; it holds on ``latch``.

    Raises:
        BackendUnavailable: diffusers is asked for by name, and it is not installed or its model is
            not on disk; openai is, and no server is named; or ``auto`` finds neither.
    """
    match settings.backend:
        case "scripted":
            return Choice(scripted(settings, latch), "IMAGE_BACKEND=scripted")
        case "openai":
            reason = f"IMAGE_BACKEND=openai at {settings.endpoint.base_url}"
            return Choice(_server(settings, latch), reason)
    lack = lacking(settings)
    if not lack:
        return Choice(_diffusers(settings, latch), f"model {settings.model} is on disk")
    if settings.backend == "diffusers":
        raise BackendUnavailable(lack)
    if not settings.endpoint.base_url:
        raise BackendUnavailable(f"{lack}, and IMAGE_BASE_URL names no server")
    return Choice(_server(settings, latch), f"{lack}, and {settings.endpoint.base_url} is named")


def lacking(settings: ImageSettings) -> str:
    """What stands in the way of diffusers, in words; empty if nothing is seen."""
    if absent := not_installed():
        return absent
    folder = find_model(settings.model, settings.cache_dir)
    if folder is None:
        return f"image model {settings.model} is not on disk"
    flaw = defect(folder)
    return f"image model {settings.model} cannot be loaded: {flaw}" if flaw else ""


def scripted(settings: ImageSettings, latch: Latch, model: str = "") -> Painter:
    """A scripted painter of the name ``model``."""
    return _engine("scripted", latch, model=model, step_s=settings.scripted_pause_s)


def _diffusers(settings: ImageSettings, latch: Latch) -> Painter:
    from agents.image_gen.backends.diffusers import DiffusersOptions

    options = DiffusersOptions(
        settings.model,
        cache_dir=settings.cache_dir,
        device=settings.device,
        dtype=settings.dtype,
        cpu_offload=settings.cpu_offload,
        attention_slicing=settings.attention_slicing,
    )
    return _engine("diffusers", options, latch)


def _server(settings: ImageSettings, latch: Latch) -> Painter:
    from agents.image_gen.backends.openai import Server

    server = Server(
        settings.endpoint.base_url,
        model=settings.openai_model,
        api_key=settings.endpoint.api_key,
        timeout_s=settings.timeout_s,
    )
    return _engine("openai", server, latch)


def _engine(name: str, /, *args: object, **kwargs: object) -> Painter:
    engine: Painter = resolve_name(PAINTERS[name])(*args, **kwargs)
    return engine
