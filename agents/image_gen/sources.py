"""Pictures that come with a request: checked before anything is done, and made fit for it."""

from typing import Any

from agents.engines.pictures import decode, measured

MAX_SIDE = 2048
"""Of a picture that is made; a source is used no larger."""


def check_pictures(*pictures: bytes) -> None:
    """Refuse what cannot be decoded within bounds, by its header; empty ones are none.

    Raises:
        AgentError: ``bad_picture``; it is no picture, of another format, or too large.
        BackendUnavailable: Pillow is not installed.
    """
    for picture in filter(None, pictures):
        measured(picture)


def picture_of(data: bytes, size: tuple[int, int]) -> Any:
    """Blocking. A picture as PIL's RGB image of ``size`` pixels.

    Raises:
        AgentError, BackendUnavailable: as ``check_pictures``, and where its pixels are broken.
    """
    from PIL import Image

    picture = decode(data, MAX_SIDE)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def mask_of(data: bytes, size: tuple[int, int]) -> Any:
    """Blocking. A mask as PIL's grey image of ``size`` pixels: what is white is made anew. Raises as
    ``picture_of``."""
    return picture_of(data, size).convert("L")
