"""Any server that speaks the OpenAI chat API: texts streamed as server-sent events."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx
import msgspec

from agents.engines.language.base import (
    ChatMessage,
    Ending,
    Prompt,
    Schema,
    refuse_guide,
    unheard,
)
from agents.engines.language.formats import UNBOUND, Formats
from agents.engines.language.http import Patience, client, coded, first_listed, on_one_line
from agents.engines.language.sse import events_of
from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable

FIRST_PIECE_S = 10.0
MAX_OUTPUT_TOKENS = 512

_REFUSED = frozenset({400, 415, 422, 500, 501})
"""Answers of servers that do not know a response format (llama.cpp's Python server says 500)."""


class Server(NamedTuple):
    """Where a model is and how it is asked. ``model`` empty: the first that the server lists."""

    base_url: str
    model: str = ""
    api_key: str = ""
    timeout_s: float = 20.0
    temperature: float = 0.7
    first_piece_s: float = FIRST_PIECE_S


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Text | None = None
    message: _Text | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


class OpenAiModel:
    """Streams texts of a chat model; closing one closes its connection, which is how these servers
    are told to stop generating."""

    name = "openai"
    capacity = 8

    def __init__(self, server: Server) -> None:
        self._server = server
        self.model = server.model
        self.where = server.base_url
        self._formats = Formats(("json_schema", "json_object", UNBOUND), _REFUSED, _refusal)
        self._client = client(server.base_url, server.api_key)

    async def start(self) -> None:
        """Choose the model, where none is named.

        Raises:
            BackendUnavailable: the server cannot be reached.
        """
        try:
            self.model = self.model or await self._first_model()
        except AgentError as error:
            raise BackendUnavailable(f"{self.where}: {error}") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        refuse_guide(prompt, self.name)
        patience = Patience.of(prompt, self._server.timeout_s, self._server.first_piece_s)
        body, schema = self._body(prompt), prompt.schema

        async def send(name: str) -> httpx.Response:
            asked = {**body, **_response_format(name, schema)}
            request = self._client.build_request("POST", "chat/completions", json=asked)
            return await self._client.send(request, stream=True)

        reading = _Reading()
        written = self._formats.pieces(schema is not None, send, reading.pieces, patience)
        async with aclosing(written) as pieces:
            async for piece in pieces:
                yield piece
        prompt.ended(reading.ending)

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        temperature = prompt.temperature
        # Not every server knows this field, so it is sent only where somebody wants the count.
        usage = None if prompt.ended is unheard else {"include_usage": True}
        drawn = {
            "top_p": prompt.top_p,
            "stop": list(prompt.stop) or None,
            "seed": prompt.seed,
            "stream_options": usage,
        }
        return {
            "model": self.model,
            "messages": [_message(message) for message in prompt.messages],
            "stream": True,
            "temperature": self._server.temperature if temperature is None else temperature,
            "max_tokens": prompt.max_tokens or MAX_OUTPUT_TOKENS,
            **{name: value for name, value in drawn.items() if value is not None},
        }

    async def _first_model(self) -> str:
        async with coded(), asyncio.timeout(FIRST_PIECE_S):
            response = await self._client.get("models")
        return first_listed(response, _refusal)


class _Reading:
    """Reads one response; ``ending`` is how it ended, as far as the server says."""

    def __init__(self) -> None:
        self.ending = Ending()

    async def pieces(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        """The text, streamed or (from servers that do not stream) whole."""
        if response.headers.get("content-type", "").startswith("application/json"):
            yield self._text_in(await response.aread())
            return
        async with aclosing(events_of(response)) as events:
            async for data in events:
                if data == b"[DONE]":
                    return
                if text := self._text_in(data):
                    yield text

    def _text_in(self, data: bytes) -> str:
        try:
            chunk = msgspec.json.decode(data, type=_Chunk)
        except msgspec.DecodeError as error:
            raise AgentError(
                f"the server's stream is not readable: {error}", "llm_error"
            ) from error
        if chunk.error is not None:
            raise AgentError(f"the server failed: {on_one_line(str(chunk.error))}", "llm_error")
        if chunk.usage is not None:
            counted = chunk.usage
            self.ending = self.ending._replace(
                prompt_tokens=counted.prompt_tokens, completion_tokens=counted.completion_tokens
            )
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        if choice.finish_reason:
            self.ending = self.ending._replace(finish_reason=choice.finish_reason)
        text = choice.delta or choice.message
        return (text.content or "") if text is not None else ""


def _message(message: ChatMessage) -> dict[str, Any]:
    if not message.pictures:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.text}]
    for picture in message.pictures:
        data = base64.b64encode(picture.data).decode()
        url = f"data:{picture.media_type};base64,{data}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"role": message.role, "content": parts}


def _response_format(name: str, schema: Schema | None) -> dict[str, Any]:
    match name:
        case "json_schema" if schema is not None:
            wanted = {"name": schema.name, "schema": schema.schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": wanted}}
        case "json_object":
            return {"response_format": {"type": "json_object"}}
    return {}


def _refusal(status: int, text: str) -> AgentError:
    detail = f"the server answered {status}: {on_one_line(text)}"
    match status:
        case 429:
            return BackendBusy(detail)
        case 401 | 403 | 502 | 503 | 504:
            return BackendUnavailable(detail)
    return AgentError(detail, code="llm_error")
