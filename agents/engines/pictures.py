"""Encoded pictures from outside, decoded within bounds."""

from io import BytesIO
from typing import Any

from agents.runtime.errors import AgentError, BackendUnavailable

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 16_000_000
"""A picture says how large it is before it is decoded; beyond this it is refused."""
MAX_SIDE = 1280
"""Larger ones are made smaller: a model sees no more, and pays for every pixel."""


def decode(data: bytes) -> Any:
    """A picture as PIL's RGB image, no side longer than ``MAX_SIDE``.

    Raises:
        AgentError: ``bad_picture``; it is none, of another format, or too large.
        BackendUnavailable: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise BackendUnavailable("Pillow is not installed; install robot-hub[llm]") from error
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            pixels = image.width * image.height
            if pixels > MAX_PIXELS:
                raise _bad(f"it has {pixels} pixels, {MAX_PIXELS} are allowed")
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            picture = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _bad(f"expected {', '.join(FORMATS)}: {error}") from error
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    return picture


def _bad(why: str) -> AgentError:
    return AgentError(f"a picture cannot be used: {why}", "bad_picture")
