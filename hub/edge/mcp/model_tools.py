"""The four tools of models, by the names, arguments and order that LocalAI's manager gave them."""

import asyncio
import secrets
from contextlib import aclosing
from typing import Any

from pydantic import Field

from hub.edge.mcp.messages import MAX_MESSAGES, read_messages
from hub.edge.mcp.smaller import fitting
from hub.edge.mcp.tool import Answer, Arguments, BadArguments, Call, Tool
from hub.edge.model_names import model_for
from hub.edge.pictures import read_pictures
from hub.edge.rights import Right
from hub.edge.services import EdgeServices
from hub.errors import JobError
from hub.jobs.inference import Inference, Made, Picture, Said
from hub.jobs.job import JobClass, Rank
from hub.jobs.orders import Caller
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.image import ImageProgress, ImageRequest

TEXT_DEADLINE_S = 120.0
IMAGE_DEADLINE_S = 600.0
MAX_PROMPT_CHARS = 8_000
MIN_SIDE, MAX_SIDE = 64, 2048
PROGRESS_EVERY_NS = 100_000_000
"""Of texts; pictures tell each of their steps."""


def _model() -> Any:
    told = "Name of a model, or an alias of one; empty: whichever there is."
    return Field(max_length=200, description=told)


def _messages() -> Any:
    told = "The chat so far: role and content of each message."
    return Field(min_length=1, max_length=MAX_MESSAGES, description=told)


def _prompt() -> Any:
    return Field(min_length=1, max_length=MAX_PROMPT_CHARS)


def _side(pixels: int) -> Any:
    told = "Pixels, a multiple of 8."
    return Field(default=pixels, ge=MIN_SIDE, le=MAX_SIDE, multiple_of=8, description=told)


class TextToText(Arguments):
    """Arguments of ``txt2txt``."""

    model: str = _model()
    messages: list[dict[str, Any]] = _messages()
    temperature: float = Field(default=0.7, ge=0, le=2)


class ImageToText(TextToText):
    """Arguments of ``img2txt``."""

    temperature: float = Field(default=0.9, ge=0, le=2)


class TextToImage(Arguments):
    """Arguments of ``txt2img``."""

    model: str = _model()
    prompt: str = _prompt()
    height: int = _side(256)
    width: int = _side(256)


class ImageToImage(Arguments):
    """Arguments of ``img2img``."""

    model: str = _model()
    file: str = Field(min_length=1, description="The picture, in base64 or as a data: URI.")
    prompt: str = _prompt()
    height: int = _side(512)
    width: int = _side(512)


class ModelTools:
    """The tools over the hub's jobs. All are cancelled down to the engine with their call."""

    def __init__(self, services: EdgeServices) -> None:
        self._services = services
        self._inference = Inference(services.jobs)

    def all(self) -> tuple[Tool, ...]:
        """The tools, the most urgent first."""
        use = Right.USE
        return (
            Tool("txt2txt", "Let a language model go on with a chat.", TextToText, use, self._text),
            Tool("txt2img", "Make a picture of a prompt.", TextToImage, use, self._picture),
            Tool(
                "img2img", "Make a picture out of another one.", ImageToImage, use, self._reworked
            ),
            Tool(
                "img2txt",
                "Let a model that sees go on with a chat that has pictures in it, as data: URIs.",
                ImageToText,
                use,
                self._seen,
            ),
        )

    async def _text(self, wanted: TextToText, call: Call) -> Answer:
        said = text_chat(wanted.messages)
        caller = Caller(call.grant.id, deadline_s=TEXT_DEADLINE_S)
        model = self._named(wanted.model, AgentKind.PLANNER)
        return await self._written(said, wanted.temperature, model, caller, call)

    async def _seen(self, wanted: ImageToText, call: Call) -> Answer:
        said = await shown_chat(wanted.messages)
        caller = Caller(
            call.grant.id,
            job_class=JobClass.IMAGE,
            rank=Rank.IMG2TXT,
            deadline_s=TEXT_DEADLINE_S,
        )
        model = self._named(wanted.model, AgentKind.VISION)
        return await self._written(said, wanted.temperature, model, caller, call)

    async def _picture(self, wanted: TextToImage, call: Call) -> Answer:
        return await self._made(wanted, None, Rank.TXT2IMG, call)

    async def _reworked(self, wanted: ImageToImage, call: Call) -> Answer:
        (source,) = await read_pictures([wanted.file])
        return await self._made(wanted, source.picture, Rank.IMG2IMG, call)

    async def _written(
        self, said: list[Said], temperature: float, model: str, caller: Caller, call: Call
    ) -> Answer:
        how = ChatRequest(messages=(), temperature=temperature)
        chat = self._inference.chat(said, how, model=model, caller=caller)
        pieces: list[str] = []
        done, told_ns = ChatDone(), 0
        async with aclosing(chat):
            async for news in chat:
                if not isinstance(news, ChatDelta):
                    done = news
                    continue
                pieces.append(news.text)
                now_ns = self._services.clock_ns()
                if now_ns - told_ns >= PROGRESS_EVERY_NS:
                    told_ns = now_ns
                    await call.progress(len(pieces), None, "pieces of text")
        text = "".join(pieces)
        usage = {
            "prompt_tokens": done.prompt_tokens,
            "completion_tokens": done.completion_tokens,
        }
        finish = done.finish_reason
        return Answer(
            text, {"text": text, "model": done.model, "finish_reason": finish, "usage": usage}
        )

    async def _made(
        self, wanted: TextToImage | ImageToImage, source: Picture | None, rank: int, call: Call
    ) -> Answer:
        request = ImageRequest(
            prompt=wanted.prompt,
            width=wanted.width,
            height=wanted.height,
            seed=secrets.randbelow(2**32),
        )
        caller = Caller(
            call.grant.id, job_class=JobClass.IMAGE, rank=rank, deadline_s=IMAGE_DEADLINE_S
        )
        model = self._named(wanted.model, AgentKind.IMAGE_GEN)
        job = self._inference.image(request, source, model=model, caller=caller)
        made: Made | None = None
        furthest = 0
        async with aclosing(job):
            async for news in job:
                match news:
                    case ImageProgress(step=step, steps=steps) if step > furthest:
                        furthest = step  # it may begin anew, and progress only rises
                        await call.progress(step, steps, f"step {step} of {steps}")
                    case Made():
                        made = news
        if made is None or not made.pictures:
            raise JobError("the engine ended the job without a picture", "no_answer")
        done = made.done
        whole = Picture(made.pictures[0], done.images[0].media_type)
        picture = await asyncio.to_thread(fitting, whole)
        data = {
            "model": done.model,
            "width": done.width,
            "height": done.height,
            "seed": done.seeds[0] if done.seeds else request.seed,
        }
        return Answer.of(data, picture)

    def _named(self, name: str, kind: AgentKind) -> str:
        services = self._services
        return model_for(name, kind, services.agents(), services.facts.aliases)


def text_chat(messages: list[dict[str, Any]]) -> list[Said]:
    """A chat of texts alone.

    Raises:
        BadArguments: there is a picture in it, or see ``read_messages``.
    """
    spoken = read_messages(messages)
    if any(message.pictures for message in spoken):
        raise BadArguments("messages: pictures are for img2txt")
    return [Said(message.role, message.text) for message in spoken]


async def shown_chat(messages: list[dict[str, Any]]) -> list[Said]:
    """A chat with pictures in it, decoded.

    Raises:
        BadArguments: there is none, or see ``read_messages``.
        BadPicture, PictureTooLarge: see ``read_pictures``.
    """
    spoken = read_messages(messages)
    decoded = await read_pictures([one for message in spoken for one in message.pictures])
    if not decoded:
        raise BadArguments("messages: none of them has a picture")
    pictures = iter([each.picture for each in decoded])
    return [
        Said(message.role, message.text, tuple(next(pictures) for _ in message.pictures))
        for message in spoken
    ]
