"""What the image agent can be asked for. Pure."""

from typing import NamedTuple

from agents.image_gen.order import Order
from agents.runtime.errors import AgentError
from protocols.messages.image import ImageRequest

SEEDS = 1 << 32
"""Seeds are 0 to this, and go round."""


class BadSize(AgentError):
    """A picture of that size is not made."""

    code = "bad_size"


class BadRequest(AgentError):
    """Something else in the request cannot be done."""

    code = "bad_image_request"


class Limits(NamedTuple):
    """Bounds of a request, both ends included; sides in pixels."""

    min_side: int = 256
    max_side: int = 2048
    multiple: int = 8
    max_steps: int = 100
    max_count: int = 4
    min_guidance: float = 1.0
    max_guidance: float = 20.0
    max_prompt_chars: int = 8_000
    max_source_bytes: int = 16 << 20


def check(request: ImageRequest, limits: Limits) -> None:
    """Refuse what cannot be made, before anything is asked for or loaded.

    Raises:
        BadSize, BadRequest: the sentence says what is allowed.
    """
    _check_size(request, limits)
    _check_text("prompt", request.prompt, limits, least=1)
    _check_text("negative prompt", request.negative_prompt, limits)
    _check_range("steps", request.steps, 1, limits.max_steps)
    _check_range("count", request.count, 1, limits.max_count)
    _check_range("guidance", request.guidance, limits.min_guidance, limits.max_guidance)
    _check_range("seed", request.seed, 0, SEEDS - 1)
    if request.source is None:
        if request.mask is not None:
            raise BadRequest("a mask says where a picture is made anew, and none was sent")
        return
    _check_range("strength", request.strength, 0, 1)
    if int(request.steps * request.strength) < 1:
        raise BadRequest(
            f"a strength of {request.strength:g} leaves none of {request.steps} steps to take"
        )


def order_of(request: ImageRequest, source: bytes, mask: bytes) -> Order:
    """The order of a request that passed :func:`check`; seeds beyond the largest go round."""
    return Order(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        width=request.width,
        height=request.height,
        steps=request.steps,
        guidance=request.guidance,
        seeds=tuple((request.seed + n) % SEEDS for n in range(request.count)),
        source=source,
        mask=mask,
        strength=request.strength,
    )


def _check_size(request: ImageRequest, limits: Limits) -> None:
    for side in (request.width, request.height):
        if not limits.min_side <= side <= limits.max_side or side % limits.multiple:
            raise BadSize(
                f"{request.width}x{request.height} pixels were asked for; sides are"
                f" {limits.min_side} to {limits.max_side}, in multiples of {limits.multiple}"
            )


def _check_text(what: str, text: str, limits: Limits, least: int = 0) -> None:
    chars = len(text.strip())
    if not least <= chars <= limits.max_prompt_chars:
        raise BadRequest(
            f"the {what} has {chars} characters, {least} to {limits.max_prompt_chars} are allowed"
        )


def _check_range(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise BadRequest(f"{what} {value:g} was asked for, {least:g} to {most:g} are allowed")
