"""Answers of ``POST /v1/chat/completions``: whole, or chunk by chunk."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel

from hub.edge.chats import Chat, Written
from hub.edge.openai.conversation import Asked
from hub.edge.openai.reading import End
from hub.edge.openai.refusing import told_in_stream
from hub.edge.openai.tools import Call
from hub.edge.openai.usage import Usage, usage_of
from hub.edge.sse import DONE, event
from hub.errors import JobError
from protocols.messages.chat import ChatDelta, ChatDone

Document = dict[str, Any]


class CalledFunction(BaseModel):
    """A call; ``arguments`` is JSON."""

    name: str
    arguments: str


class MadeCall(BaseModel):
    """A function is to be called, and its answer sent with this ``id``."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class AnswerMessage(BaseModel):
    """What the model says, or whom it calls."""

    role: Literal["assistant"]
    content: str | None
    refusal: None
    tool_calls: list[MadeCall] = []


class ChatChoice(BaseModel):
    """The one answer."""

    index: int
    message: AnswerMessage
    logprobs: None
    finish_reason: Literal["stop", "length", "tool_calls"]


class ChatCompletion(BaseModel):
    """A chat, gone on with."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage


def now_s() -> int:
    """Seconds since 1970: what clients are told."""
    return int(datetime.now(UTC).timestamp())


def new_id(kind: str) -> str:
    """The id of an answer."""
    return f"{kind}-{uuid4().hex}"


def completion_of(asked: Asked, written: Written, model: str) -> ChatCompletion:
    """The answer to ``asked``; raises ``JobError`` where it is not what it had to be."""
    done = written.done
    text = asked.reader.feed(written.text)
    end = asked.reader.finish(done.finish_reason == "length")
    message = AnswerMessage(role="assistant", content=text + end.text or None, refusal=None)
    if end.calls:
        message.tool_calls = [
            MadeCall(
                id=call.id,
                type="function",
                function=CalledFunction(name=call.name, arguments=call.arguments),
            )
            for call in end.calls
        ]
    elif message.content is None:
        message.content = ""
    return ChatCompletion(
        id=new_id("chatcmpl"),
        object="chat.completion",
        created=now_s(),
        model=done.model or model,
        choices=[
            ChatChoice(index=0, message=message, logprobs=None, finish_reason=_reason(done, end))
        ],
        usage=usage_of(done, (each.text for each in asked.said), written.text),
    )


def _reason(done: ChatDone, end: End) -> Literal["stop", "length", "tool_calls"]:
    if end.calls:
        return "tool_calls"
    return "length" if done.finish_reason == "length" else "stop"


class Chunks:
    """Makes the events of one answer."""

    def __init__(self, model: str, tells_usage: bool) -> None:
        self._frame: Document = {
            "id": new_id("chatcmpl"),
            "object": "chat.completion.chunk",
            "created": now_s(),
            "model": model,
        }
        self._tells_usage = tells_usage

    def delta(self, delta: Document, reason: str | None = None) -> bytes:
        """The next part of the message."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        more: Document = {"usage": None} if self._tells_usage else {}
        return event({**self._frame, "choices": [choice], **more})

    def call(self, index: int, call: Call) -> bytes:
        """A call, whole."""
        function = {"name": call.name, "arguments": call.arguments}
        made = {"index": index, "id": call.id, "type": "function", "function": function}
        return self.delta({"tool_calls": [made]})

    def last(self, usage: Usage) -> list[bytes]:
        """What comes after the last part."""
        told = usage.model_dump(exclude_unset=True)
        whole = [event({**self._frame, "choices": [], "usage": told})] if self._tells_usage else []
        return [*whole, DONE]


async def chat_events(chat: Chat, asked: Asked, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    """The answer, as it is written. What fails before its first word is raised; what fails later
    is told by the last event."""
    begun = False
    async with aclosing(chat):
        try:
            async for each in _written(chat, asked, chunks):
                if not begun:
                    begun = True
                    yield chunks.delta({"role": "assistant", "content": ""})
                yield each
        except JobError as error:
            if not begun:
                raise
            yield event(told_in_stream(error))


async def _written(chat: Chat, asked: Asked, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    pieces: list[str] = []
    done = ChatDone()
    async for told in chat:
        if isinstance(told, ChatDelta):
            pieces.append(told.text)
            if news := asked.reader.feed(told.text):
                yield chunks.delta({"content": news})
        else:
            done = told
    end = asked.reader.finish(done.finish_reason == "length")
    if end.text:
        yield chunks.delta({"content": end.text})
    for index, call in enumerate(end.calls):
        yield chunks.call(index, call)
    yield chunks.delta({}, _reason(done, end))
    for each in chunks.last(usage_of(done, (s.text for s in asked.said), "".join(pieces))):
        yield each
