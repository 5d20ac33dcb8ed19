"""Bodies of ``/v1/images``: https://platform.openai.com/docs/api-reference/images"""

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema

from hub.edge.openai.fields import SEEDS, Body, ModelName, only, refuse
from protocols.messages.image import ImageRequest

MAX_PROMPT_CHARS = 8_000
MAX_IMAGES = 4
MIN_SIDE, MAX_SIDE, MULTIPLE = 256, 2_048, 8
STEPS = {"low": 15, "high": 50, "hd": 50}
"""Steps of a quality; 30 for any other."""
USUAL_STEPS = 30
USUAL_SIDE = 1_024

_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})", re.ASCII)


class Size(NamedTuple):
    """Of a picture, in pixels."""

    width: int = USUAL_SIDE
    height: int = USUAL_SIDE


def size_of(text: str) -> Size:
    """``1024x768`` as numbers.

    Raises:
        ValueError: no picture of that size is made.
    """
    match = _SIZE.fullmatch(text)
    size = Size(*map(int, match.groups())) if match else Size(0, 0)
    if not all(MIN_SIDE <= side <= MAX_SIDE and side % MULTIPLE == 0 for side in size):
        raise ValueError(
            f"a size is like 1024x1024: sides of {MIN_SIDE} to {MAX_SIDE} pixels, in multiples of"
            f" {MULTIPLE}, or auto"
        )
    return size


def _checked_size(text: str) -> str:
    if text != "auto":
        size_of(text)
    return text


def _not_kept(form: str) -> str:
    refuse("pictures are not kept, so they have no URL: ask for b64_json")(form == "url")
    return form


def size_like(width: int, height: int) -> Size:
    """The size nearest to that of another picture, in its proportions as far as can be."""
    scale = min(1.0, MAX_SIDE / max(width, height, 1))
    return Size(*(_nearest(side * scale) for side in (width, height)))


def _nearest(side: float) -> int:
    return min(MAX_SIDE, max(MIN_SIDE, round(side / MULTIPLE) * MULTIPLE))


Prompt = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT_CHARS, pattern=r"\S")]
SizeText = Annotated[
    str,
    Field(max_length=20, examples=["1024x1024", "auto"]),
    AfterValidator(_checked_size),
    WithJsonSchema({"type": "string", "pattern": r"^(auto|[0-9]{3,4}x[0-9]{3,4})$"}),
]


class ImageOptions(Body):
    """What pictures that are made anew and out of others have in common. ``style``,
    ``moderation`` and ``user`` change nothing. The last four are not OpenAI's: see
    ``protocols/messages/image.py``."""

    prompt: Prompt
    model: ModelName | None = None
    n: Annotated[int | None, Field(ge=1, le=MAX_IMAGES)] = None
    size: SizeText | None = None
    quality: Literal["auto", "standard", "low", "medium", "high", "hd"] | None = None
    response_format: (
        Annotated[Literal["b64_json", "url"], AfterValidator(_not_kept), only("b64_json")] | None
    ) = None
    output_format: Literal["png"] | None = None
    output_compression: Annotated[int | None, Field(ge=100, le=100)] = None
    background: Literal["auto", "opaque"] | None = None
    partial_images: Annotated[int | None, Field(ge=0, le=0)] = None
    stream: Annotated[
        bool | None,
        AfterValidator(refuse("pictures come whole; ask without stream")),
        only(None, False),
    ] = None
    negative_prompt: Annotated[str, Field(max_length=MAX_PROMPT_CHARS)] | None = None
    steps: Annotated[int | None, Field(ge=1, le=100)] = None
    guidance: Annotated[float | None, Field(ge=1, le=20)] = None
    seed: Annotated[int | None, Field(ge=0, lt=SEEDS)] = None


class GenerationBody(ImageOptions):
    """Body of ``POST /v1/images/generations``."""


class EditFields(ImageOptions):
    """Fields of the form of ``POST /v1/images/edits``. ``strength`` (not OpenAI's) says how much
    of the picture is given up; with a mask, only what is transparent in it is made anew, or what
    is white in one without transparency."""

    strength: Annotated[float, Field(gt=0, le=1)] = 0.8
    input_fidelity: Literal["low", "high"] | None = None


class MadeImage(BaseModel):
    """A picture (PNG), and the seed that makes it again."""

    b64_json: str
    seed: int


class ImagesBody(BaseModel):
    """Answer of both routes."""

    created: int
    data: list[MadeImage]
    model: str
    size: str
    output_format: Literal["png"]


def request_of(options: ImageOptions, size: Size, seed: int) -> ImageRequest:
    """What the image agent is asked for."""
    more: dict[str, Any] = {}
    if isinstance(options, EditFields):
        more["strength"] = options.strength
    return ImageRequest(
        prompt=options.prompt,
        negative_prompt=options.negative_prompt or "",
        width=size.width,
        height=size.height,
        steps=options.steps or STEPS.get(options.quality or "", USUAL_STEPS),
        guidance=options.guidance or ImageRequest(prompt="").guidance,
        seed=seed,
        count=options.n or 1,
        **more,
    )
