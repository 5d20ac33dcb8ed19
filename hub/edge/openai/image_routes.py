"""``POST /v1/images/generations`` and ``/v1/images/edits``; the second takes a form."""

import asyncio
import base64
import secrets
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import while_connected
from hub.edge.form_body import Form, Upload, read_form
from hub.edge.held_body import off_loop
from hub.edge.limits import PARSED_IN_PLACE_BYTES
from hub.edge.openai.asking import Desk
from hub.edge.openai.chat_answers import now_s
from hub.edge.openai.fields import SEEDS
from hub.edge.openai.forms import documented_form, fields_of
from hub.edge.openai.image_bodies import (
    EditFields,
    GenerationBody,
    ImageOptions,
    ImagesBody,
    MadeImage,
    Size,
    request_of,
    size_like,
    size_of,
)
from hub.edge.openai.masks import mask_of
from hub.edge.openai.refusing import OpenAiRoute, refused, wrong
from hub.edge.paintings import painted
from hub.edge.pictures import SentPicture, sent_picture
from hub.jobs.inference import Made, Picture
from hub.jobs.job import JobClass
from protocols.messages.agent import AgentKind


class Source(NamedTuple):
    """The picture that others are made out of."""

    picture: SentPicture
    mask: Picture | None = None


def image_router(desk: Desk) -> APIRouter:
    """The routes over ``desk``."""
    router = APIRouter(route_class=OpenAiRoute, tags=["openai"])

    @router.post("/images/generations", response_model=ImagesBody, responses=refused())
    async def generations(body: GenerationBody, request: Request) -> Response:
        """Make pictures of what is described. They come as base64: none is kept."""
        return await _made(desk, request, body, None)

    @router.post(
        "/images/edits",
        response_model=ImagesBody,
        responses=refused(s415="A form is needed."),
        openapi_extra=documented_form(EditFields, required=("image",), optional=("mask",)),
    )
    async def edits(request: Request) -> Response:
        """Make pictures out of another one, or anew what is transparent in a mask of it."""
        form = await read_form(request)
        options = fields_of(EditFields, form)
        return await _made(desk, request, options, await _source_of(form))

    return router


async def _made(
    desk: Desk, request: Request, options: ImageOptions, source: Source | None
) -> Response:
    wanted = request_of(options, _size_of(options, source), _seed_of(options))
    model = desk.model(options.model, AgentKind.IMAGE_GEN) if options.model else ""
    job = desk.models.image(
        wanted,
        source.picture.picture if source else None,
        source.mask if source else None,
        model=model,
        caller=desk.caller(request, JobClass.IMAGE),
    )
    return await answer_of(await while_connected(request, painted(job)), options.model or "")


async def answer_of(made: Made, model: str) -> Response:
    """Pictures in the shape of OpenAI's answers; ``model`` is what their client called it."""
    size = sum(map(len, made.pictures))
    work = _answer, made, model
    document = _answer(*work[1:]) if size <= PARSED_IN_PLACE_BYTES else await off_loop(*work)
    return Response(document, media_type="application/json")


def _answer(made: Made, model: str) -> bytes:
    """Blocking where pictures are large."""
    images = [
        MadeImage(b64_json=base64.b64encode(picture).decode(), seed=seed)
        for picture, seed in zip(made.pictures, made.done.seeds, strict=True)
    ]
    body = ImagesBody(
        created=now_s(),
        data=images,
        model=made.done.model or model,
        size=f"{made.done.width}x{made.done.height}",
        output_format="png",
    )
    return body.model_dump_json().encode()


def _size_of(options: ImageOptions, source: Source | None) -> Size:
    if options.size not in (None, "auto"):
        return size_of(options.size or "")
    return size_like(source.picture.width, source.picture.height) if source else Size()


def _seed_of(options: ImageOptions) -> int:
    return secrets.randbelow(SEEDS) if options.seed is None else options.seed


async def _source_of(form: Form) -> Source:
    files = [file for name, file in form.files if name in ("image", "image[]")]
    if len(files) != 1:
        wrong("image", f"one picture is expected as a file, {len(files)} came")
    mask = form.file("mask")
    return Source(
        sent_picture(await files[0].whole()), await _mask_of(mask) if mask is not None else None
    )


async def _mask_of(mask: Upload) -> Picture:
    picture = sent_picture(await mask.whole())
    return await asyncio.to_thread(mask_of, picture)
