"""Pictures of the Fictures AI server."""

import asyncio
import base64
import secrets

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import while_connected
from hub.edge.documented import refusals
from hub.edge.fictures.bodies import MAX_PROMPT_CHARS, SEEDS, ErrorBody, ImageAnswer, ImageBody
from hub.edge.fictures.failures import IMAGE, worked
from hub.edge.fictures.text import DEADLINE_S, check_prompt
from hub.edge.grants import grant_of
from hub.edge.json_body import LargeBodyRoute
from hub.edge.paintings import painted
from hub.edge.services import EdgeServices
from hub.errors import BadRequest
from hub.jobs.inference import Inference, Made
from hub.jobs.job import JobClass
from hub.jobs.orders import Caller
from protocols.messages.image import ImageRequest

MULTIPLE = 8


class BadSides(BadRequest):
    """A picture of that size is not made."""

    code = "bad_size"


def image_router(services: EdgeServices) -> APIRouter:
    """The route over ``services``."""
    router = APIRouter(tags=["fictures"], route_class=LargeBodyRoute)
    inference = Inference(services.jobs)
    refused = refusals(
        ErrorBody,
        job=True,
        s400="The prompt is too long, or the size none.",
        s422="Invalid fields.",
    )

    @router.post("/images/generate", response_model=ImageAnswer, responses=refused)
    async def generate(body: ImageBody, request: Request) -> Response:
        """Make a picture; the same seed makes the same one again on one machine."""
        check_prompt(body.prompt, MAX_PROMPT_CHARS)
        check_prompt(body.negative_prompt or "", MAX_PROMPT_CHARS)
        if body.width % MULTIPLE or body.height % MULTIPLE:
            raise BadSides(f"width and height must be multiples of {MULTIPLE}")
        caller = Caller(grant_of(request).id, job_class=JobClass.IMAGE, deadline_s=DEADLINE_S)
        job = inference.image(_order(body), caller=caller)
        work = while_connected(request, painted(job))
        made = await worked(request, IMAGE, work)
        if isinstance(made, Response):
            return made
        encoded = await asyncio.to_thread(_encoded, made)
        return Response(encoded, media_type="application/json")

    return router


def _order(body: ImageBody) -> ImageRequest:
    seed = secrets.randbelow(SEEDS - 1) if body.seed is None else body.seed
    return ImageRequest(
        prompt=body.prompt,
        negative_prompt=body.negative_prompt or "",
        width=body.width,
        height=body.height,
        steps=body.num_inference_steps,
        guidance=body.guidance_scale,
        seed=seed,
    )


def _encoded(made: Made) -> bytes:
    """The answer as JSON; off the loop, since a picture has megabytes."""
    ref, data = made.done.images[0], made.pictures[0]
    picture = base64.b64encode(data).decode()
    return msgspec.json.encode(
        {
            "image_url": f"data:{ref.media_type};base64,{picture}",
            "model": made.done.model,
            "width": made.done.width,
            "height": made.done.height,
            "seed": made.done.seeds[0],
        }
    )
