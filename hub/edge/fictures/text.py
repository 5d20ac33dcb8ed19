"""Texts of the Fictures AI server: whole, streamed, and held to a form."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.chats import Chat, Written, written
from hub.edge.documented import refusals
from hub.edge.fictures.bodies import (
    MAX_PROMPT_CHARS,
    MAX_STRUCTURED_PROMPT_CHARS,
    ErrorBody,
    StreamEvent,
    StructuredAnswer,
    StructuredBody,
    TextAnswer,
    TextBody,
)
from hub.edge.fictures.failures import TEXT, sentence_of, worked
from hub.edge.fictures.models import text_model
from hub.edge.fictures.structure import Form, form_of
from hub.edge.grants import grant_of
from hub.edge.http_errors import answer_at
from hub.edge.json_body import LargeBodyRoute
from hub.edge.schemas import BadSchema
from hub.edge.services import EdgeServices
from hub.edge.sse import MEDIA_TYPE, event, streamed
from hub.errors import BadRequest, JobError
from hub.jobs.inference import Inference, Said
from hub.jobs.orders import Caller
from protocols.messages.chat import ChatDelta, ChatRequest

DEADLINE_S = 300.0
"""The documented ``DEFAULT_TIMEOUT``."""


class PromptTooLong(BadRequest):
    """The prompt has more characters than the route takes."""

    code = "prompt_too_long"


def text_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["fictures"], route_class=LargeBodyRoute)
    inference = Inference(services.jobs)
    refused = refusals(ErrorBody, job=True, s400="The prompt is too long.", s422="Invalid fields.")

    @router.post("/text/generate", response_model=TextAnswer, responses=refused)
    async def generate(body: TextBody, request: Request) -> TextAnswer | Response:
        """Write a text."""
        check_prompt(body.prompt, MAX_PROMPT_CHARS)
        chat = _chat(inference, request, body, _sampling(body))
        whole = await worked(request, TEXT, written(request, chat))
        if isinstance(whole, Response):
            return whole
        return TextAnswer(text=whole.text, **_ending(whole, text_model(services.agents())))

    @router.post(
        "/text/stream",
        response_class=Response,
        responses={**refused, 200: {"model": StreamEvent, "content": {MEDIA_TYPE: {}}}},
    )
    async def stream(body: TextBody, request: Request) -> Response:
        """Write a text, told as server-sent events as it grows; the last of them has ``done``."""
        check_prompt(body.prompt, MAX_PROMPT_CHARS)
        how = msgspec.structs.replace(_sampling(body), whole=False)
        chat = _chat(inference, request, body, how)
        events = _events(chat, text_model(services.agents()))
        return await worked(request, TEXT, streamed(request, events))

    @router.post("/text/structured", response_model=StructuredAnswer, responses=refused)
    async def structured(body: StructuredBody, request: Request) -> StructuredAnswer | Response:
        """Write a text of a given form: JSON, a choice, a regular expression or a grammar. The last
        two are 501 where the engine cannot be held to them."""
        check_prompt(body.prompt, MAX_STRUCTURED_PROMPT_CHARS)
        try:
            form = await asyncio.to_thread(form_of, body.guided_decoding)
        except BadSchema as error:
            return answer_at(request.url.path, error, 422)
        how = msgspec.structs.replace(_sampling(body), schema=form.schema, guide=form.guide)
        chat = _chat(inference, request, body, how)
        whole = await worked(request, TEXT, written(request, chat))
        if isinstance(whole, Response):
            return whole
        return await _structured(form, whole, text_model(services.agents()))

    return router


def check_prompt(prompt: str, most: int) -> None:
    """Raises ``PromptTooLong``."""
    if len(prompt) > most:
        raise PromptTooLong(f"Prompt too long: {len(prompt)} characters, maximum {most}")


def _chat(
    inference: Inference, request: Request, body: TextBody | StructuredBody, how: ChatRequest
) -> Chat:
    caller = Caller(grant_of(request).id, deadline_s=DEADLINE_S)
    return inference.chat([Said("user", body.prompt)], how, caller=caller)


def _sampling(body: TextBody | StructuredBody) -> ChatRequest:
    """How it is drawn. Nothing of a probability is left by a ``top_p`` of 0 but the likeliest token,
    which is what a temperature of 0 draws; engines know the latter."""
    is_greedy = body.temperature == 0 or body.top_p == 0
    return ChatRequest(
        messages=(),
        temperature=0.0 if is_greedy else body.temperature,
        top_p=None if is_greedy else body.top_p,
        max_tokens=body.max_tokens,
        stop=tuple(body.stop_sequences or ()),
        whole=True,
    )


def _ending(whole: Written, model: str) -> dict[str, Any]:
    return {
        "model": whole.done.model or model,
        "tokens_used": whole.tokens,
        "finish_reason": whole.done.finish_reason,
    }


async def _events(chat: Chat, model: str) -> AsyncGenerator[bytes, None]:
    """The text as it grows. A failure before its first word is raised; a later one is the last
    event."""
    told = StreamEvent(text="", delta="", model=model, tokens_used=0)
    begun = False
    try:
        async with aclosing(chat):
            async for fact in chat:
                told = _grown(told, fact)
                begun = True
                yield _event(told)
    except JobError as error:
        if not begun:
            raise
        last = {
            "delta": "",
            "finish_reason": "error",
            "done": True,
            "error": sentence_of(error, TEXT),
        }
        yield _event(told.model_copy(update=last))


def _grown(told: StreamEvent, fact: Any) -> StreamEvent:
    if isinstance(fact, ChatDelta):
        text, tokens = told.text + fact.text, told.tokens_used + 1
        return told.model_copy(update={"text": text, "delta": fact.text, "tokens_used": tokens})
    return told.model_copy(
        update={
            "delta": "",
            "model": fact.model or told.model,
            "tokens_used": fact.completion_tokens or told.tokens_used,
            "finish_reason": fact.finish_reason,
            "done": True,
        }
    )


def _event(told: StreamEvent) -> bytes:
    return event(told.model_dump(exclude=None if told.error else {"error"}))


async def _structured(form: Form, whole: Written, model: str) -> StructuredAnswer:
    read = await asyncio.to_thread(form.read, whole.text, whole.done.finish_reason == "stop")
    return StructuredAnswer(
        output=read.output,
        parsed_output=read.parsed,
        is_valid=read.is_valid,
        **_ending(whole, model),
    )
