"""``POST /v1/chat/completions``: https://platform.openai.com/docs/api-reference/chat"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.chats import Chat, written
from hub.edge.openai.asking import Desk
from hub.edge.openai.chat_answers import ChatCompletion, Chunks, chat_events, completion_of
from hub.edge.openai.chat_bodies import ChatBody
from hub.edge.openai.conversation import Asked, asked_of
from hub.edge.openai.naming import chat_model_named
from hub.edge.openai.refusing import OpenAiRoute, refused
from hub.edge.sse import DOCUMENTED, streamed


def chat_router(desk: Desk) -> APIRouter:
    """The route over ``desk``."""
    router = APIRouter(route_class=OpenAiRoute, tags=["openai"])

    @router.post(
        "/chat/completions",
        response_model=ChatCompletion,
        response_model_exclude_unset=True,
        responses={200: {"content": DOCUMENTED}, **refused()},
    )
    async def chat_completions(body: ChatBody, request: Request) -> ChatCompletion | Response:
        """Go on with a chat, with pictures if it has any, and functions that may be called."""
        asked = await asked_of(body)
        chat = _begun(desk, request, body.model, asked)
        if not body.stream:
            return completion_of(asked, await written(request, chat), body.model)
        tells_usage = bool(body.stream_options and body.stream_options.include_usage)
        return await streamed(request, chat_events(chat, asked, Chunks(body.model, tells_usage)))

    return router


def _begun(desk: Desk, request: Request, name: str, asked: Asked) -> Chat:
    kind, model = chat_model_named(name, asked.shows, desk.agents(), desk.aliases)
    return desk.models.chat(
        asked.said, asked.how, model=model, caller=desk.caller(request), agent=kind
    )
