"""``POST /v1/completions``: https://platform.openai.com/docs/api-reference/completions

The models here are made for chats: the prompt is what a user says.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.chats import Chat, written
from hub.edge.openai.asking import Desk
from hub.edge.openai.chat_answers import new_id, now_s
from hub.edge.openai.fields import (
    One,
    SampledBody,
    engine_seed,
    refuse,
    stops_of,
)
from hub.edge.openai.naming import chat_model_named
from hub.edge.openai.refusing import OpenAiRoute, refused, told_in_stream, wrong
from hub.edge.openai.usage import Usage, usage_of
from hub.edge.sse import DOCUMENTED, DONE, event, streamed
from hub.errors import JobError
from hub.jobs.inference import Said
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest

Tokens = list[int]
Reason = Literal["stop", "length"]


def _no_tokens(prompt: Any) -> Any:
    given = prompt if isinstance(prompt, list) else []
    if any(not isinstance(each, str) for each in given):
        raise ValueError("tokens are an engine's own: send the text")
    if isinstance(prompt, list) and len(prompt) != 1:
        raise ValueError(f"one prompt is expected, {len(prompt)} came")
    return prompt


class CompletionBody(SampledBody):
    """Body of ``POST /v1/completions``."""

    prompt: Annotated[
        str
        | Annotated[list[str], Field(max_length=2_048)]
        | Annotated[list[int | Tokens], Field(max_length=100_000)],
        AfterValidator(_no_tokens),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": r"\S"},
                    {
                        "type": "array",
                        "items": {"type": "string", "pattern": r"\S"},
                        "minItems": 1,
                        "maxItems": 1,
                    },
                ]
            }
        ),
    ]
    best_of: One = None
    echo: bool | None = None
    suffix: Annotated[str | None, AfterValidator(refuse("texts are continued, not filled in"))] = (
        None
    )


class CompletionChoice(BaseModel):
    """The one answer."""

    index: int
    text: str
    logprobs: None
    finish_reason: Reason


class Completion(BaseModel):
    """A text, gone on with."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage


def completion_router(desk: Desk) -> APIRouter:
    """The route over ``desk``."""
    router = APIRouter(route_class=OpenAiRoute, tags=["openai"])

    @router.post(
        "/completions",
        response_model=Completion,
        response_model_exclude_unset=True,
        responses={200: {"content": DOCUMENTED}, **refused()},
    )
    async def completions(body: CompletionBody, request: Request) -> Completion | Response:
        """Answer a prompt."""
        prompt = body.prompt if isinstance(body.prompt, str) else str(body.prompt[0])
        if not prompt.strip():
            wrong("prompt", "a prompt is expected")
        chat = _begun(desk, request, body, prompt)
        if body.stream:
            return await streamed(request, _events(chat, body, prompt))
        told = await written(request, chat)
        text = f"{prompt}{told.text}" if body.echo else told.text
        choice = CompletionChoice(
            index=0, text=text, logprobs=None, finish_reason=_reason(told.done)
        )
        return Completion(
            id=new_id("cmpl"),
            object="text_completion",
            created=now_s(),
            model=told.done.model or body.model,
            choices=[choice],
            usage=usage_of(told.done, [prompt], told.text),
        )

    return router


def _begun(desk: Desk, request: Request, body: CompletionBody, prompt: str) -> Chat:
    kind, model = chat_model_named(body.model, False, desk.agents(), desk.aliases)
    how = ChatRequest(
        messages=(),
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_tokens,
        stop=stops_of(body.stop),
        seed=engine_seed(body.seed),
        whole=not body.stream,
    )
    said = [Said("user", prompt)]
    return desk.models.chat(said, how, model=model, caller=desk.caller(request), agent=kind)


async def _events(chat: Chat, body: CompletionBody, prompt: str) -> AsyncGenerator[bytes, None]:
    """The text, as it is written; see ``chat_events``."""
    begun = False
    frame = {
        "id": new_id("cmpl"),
        "object": "text_completion",
        "created": now_s(),
        "model": body.model,
    }
    async with aclosing(chat):
        try:
            async for each in _documents(chat, body, prompt):
                begun = True
                yield event({**frame, **each})
            yield DONE
        except JobError as error:
            if not begun:
                raise
            yield event(told_in_stream(error))


async def _documents(
    chat: Chat, body: CompletionBody, prompt: str
) -> AsyncGenerator[dict[str, Any], None]:
    tells_usage = bool(body.stream_options and body.stream_options.include_usage)
    pieces: list[str] = []
    done = ChatDone()
    before = prompt if body.echo else ""
    async for told in chat:
        if isinstance(told, ChatDelta):
            pieces.append(told.text)
            yield _part(before + told.text, None)
            before = ""
        else:
            done = told
    yield _part(before, _reason(done))
    if tells_usage:
        usage = usage_of(done, [prompt], "".join(pieces))
        yield {"choices": [], "usage": usage.model_dump(exclude_unset=True)}


def _part(text: str, reason: Reason | None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": reason}]}


def _reason(done: ChatDone) -> Reason:
    return "length" if done.finish_reason == "length" else "stop"
