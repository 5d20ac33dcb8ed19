"""The four kinds of LocalAI's manager as routes, ``POST /txt2txt`` to ``/img2txt``, with the
arguments of its tools, and its ``POST /api/generate-image``.

Texts are answered as the tools answer them, pictures in the shape of ``/v1/images``, which is what
the manager handed on.
"""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.chats import written
from hub.edge.disconnect import ClientGone, while_connected
from hub.edge.documented import refusals
from hub.edge.grants import grant_of
from hub.edge.job_errors import failed
from hub.edge.job_routes import ErrorBody
from hub.edge.json_body import LargeBodyRoute
from hub.edge.mcp.model_tools import (
    MAX_PROMPT_CHARS,
    ImageToImage,
    ImageToText,
    TextToImage,
    TextToText,
    shown_chat,
    text_chat,
)
from hub.edge.model_names import model_for
from hub.edge.openai.fields import SEEDS
from hub.edge.openai.image_bodies import ImagesBody, size_of
from hub.edge.openai.image_routes import answer_of
from hub.edge.paintings import painted
from hub.edge.pictures import read_pictures
from hub.edge.services import EdgeServices
from hub.errors import JobError
from hub.jobs.inference import Inference, Picture, Said
from hub.jobs.job import JobClass, Rank
from hub.jobs.orders import Caller
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatRequest
from protocols.messages.image import ImageRequest

DEADLINE_S = 600.0


class TextUsage(BaseModel):
    """Tokens, as the engine counts them; 0 where it does not."""

    prompt_tokens: int
    completion_tokens: int


class TextAnswer(BaseModel):
    """Answer of ``POST /txt2txt`` and ``/img2txt``."""

    text: str
    model: str
    finish_reason: str
    usage: TextUsage


def _checked_size(text: str) -> str:
    size_of(text)
    return text


Size = Annotated[str, StringConstraints(max_length=11), AfterValidator(_checked_size)]
Prompt = Annotated[str, Query(min_length=1, max_length=MAX_PROMPT_CHARS)]


class Kinds:
    """What the routes have in common."""

    def __init__(self, services: EdgeServices) -> None:
        self._services = services
        self._inference = Inference(services.jobs)

    async def text(
        self, request: Request, body: TextToText, said: list[Said], kind: AgentKind
    ) -> TextAnswer | Response:
        """A text by an agent of ``kind``."""
        shows = kind is AgentKind.VISION
        caller = Caller(
            grant_of(request).id,
            job_class=JobClass.IMAGE if shows else JobClass.INTERACTIVE,
            rank=Rank.IMG2TXT if shows else Rank.FIRST,
            deadline_s=DEADLINE_S,
        )
        how = ChatRequest(messages=(), temperature=body.temperature, whole=True)
        chat = self._inference.chat(said, how, model=self._named(body.model, kind), caller=caller)
        try:
            whole = await written(request, chat)
        except JobError as error:
            return failed(request, error)
        except ClientGone:
            return Response(status_code=499)
        done = whole.done
        usage = TextUsage(
            prompt_tokens=done.prompt_tokens, completion_tokens=done.completion_tokens
        )
        return TextAnswer(
            text=whole.text, model=done.model, finish_reason=done.finish_reason, usage=usage
        )

    async def picture(
        self, request: Request, order: ImageRequest, model: str, source: Picture | None = None
    ) -> Response:
        """A picture, made out of ``source`` where there is one."""
        caller = Caller(
            grant_of(request).id,
            job_class=JobClass.IMAGE,
            rank=Rank.TXT2IMG if source is None else Rank.IMG2IMG,
            deadline_s=DEADLINE_S,
        )
        named = self._named(model, AgentKind.IMAGE_GEN)
        job = self._inference.image(order, source, model=named, caller=caller)
        try:
            return await answer_of(await while_connected(request, painted(job)), model)
        except JobError as error:
            return failed(request, error)
        except ClientGone:
            return Response(status_code=499)

    def _named(self, name: str, kind: AgentKind) -> str:
        services = self._services
        return model_for(name, kind, services.agents(), services.facts.aliases)


def kinds_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["localai"], route_class=LargeBodyRoute)
    kinds = Kinds(services)
    refused: dict[str, Any] = {
        "responses": refusals(ErrorBody, job=True, s400="No JSON, no messages or no picture.")
    }

    @router.post("/txt2txt", response_model=TextAnswer, **refused)
    async def txt2txt(body: TextToText, request: Request) -> TextAnswer | Response:
        """Let a language model go on with a chat."""
        return await kinds.text(request, body, text_chat(body.messages), AgentKind.PLANNER)

    @router.post("/txt2img", response_model=ImagesBody, **refused)
    async def txt2img(body: TextToImage, request: Request) -> Response:
        """Make a picture of a prompt."""
        return await kinds.picture(request, _order(body), body.model)

    @router.post("/img2img", response_model=ImagesBody, **refused)
    async def img2img(body: ImageToImage, request: Request) -> Response:
        """Make a picture out of another one."""
        (source,) = await read_pictures([body.file])
        return await kinds.picture(request, _order(body), body.model, source.picture)

    @router.post("/img2txt", response_model=TextAnswer, **refused)
    async def img2txt(body: ImageToText, request: Request) -> TextAnswer | Response:
        """Let a model that sees go on with a chat that has pictures in it, as data: URIs."""
        return await kinds.text(request, body, await shown_chat(body.messages), AgentKind.VISION)

    @router.post("/api/generate-image", response_model=ImagesBody, **refused)
    async def generate_image(
        request: Request,
        prompt: Prompt,
        model: Annotated[str, Query(max_length=200)] = "Flux-Dev",
        step: Annotated[int, Query(ge=1, le=100)] = 50,
        size: Annotated[Size, Query(pattern="^[0-9]{3,4}x[0-9]{3,4}$")] = "640x360",
    ) -> Response:
        """Make a picture of a prompt; all of it stands in the query."""
        width, height = size_of(size)
        seed = secrets.randbelow(SEEDS)
        order = ImageRequest(prompt=prompt, width=width, height=height, steps=step, seed=seed)
        return await kinds.picture(request, order, model)

    return router


def _order(body: TextToImage | ImageToImage) -> ImageRequest:
    return ImageRequest(
        prompt=body.prompt,
        width=body.width,
        height=body.height,
        seed=secrets.randbelow(SEEDS),
    )
