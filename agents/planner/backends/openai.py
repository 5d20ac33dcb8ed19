"""Any server that speaks the OpenAI chat API: texts streamed as server-sent events."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx
import msgspec

from agents.planner.backends.base import ChatMessage, LanguageModel, Prompt, Schema
from agents.planner.backends.failover import Failover
from agents.planner.backends.http import beginning, client, coded, in_time, on_one_line
from agents.planner.settings import PlannerSettings
from agents.planner.sse import EventReader
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


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Text | None = None
    message: _Text | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
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
        self._formats: Sequence[str] = ("json_schema", "json_object", "none")
        """Response formats still to be tried, the best first; one once the server took it."""
        self._client = client(server.base_url, server.api_key)

    @classmethod
    def from_settings(cls, settings: PlannerSettings) -> LanguageModel:
        """The server that the settings name, or several, the first that is healthy first.

        Raises:
            BackendUnavailable: they name none.
        """
        models = [
            cls(Server(*server, settings.timeout_s, settings.temperature))
            for server in settings.servers
        ]
        if not models:
            raise BackendUnavailable("LLM_BACKEND=openai needs OPENAI_BASE_URL")
        return models[0] if len(models) == 1 else Failover(models)

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
        schema = prompt.schema
        async with aclosing(self._written(self._body(prompt), schema)) as pieces:
            async for piece in pieces:
                yield piece

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        temperature = prompt.temperature
        return {
            "model": self.model,
            "messages": [_message(message) for message in prompt.messages],
            "stream": True,
            "temperature": self._server.temperature if temperature is None else temperature,
            "max_tokens": prompt.max_tokens or MAX_OUTPUT_TOKENS,
        }

    async def _written(
        self, body: dict[str, Any], schema: Schema | None
    ) -> AsyncGenerator[str, None]:
        """What the model writes, in pieces, each within its time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._server.timeout_s
        begin_by = min(deadline, loop.time() + FIRST_PIECE_S)
        async with coded(), asyncio.timeout_at(begin_by):
            response = await self._begin(body, schema)
        async with (
            aclosing(response),
            aclosing(in_time(_pieces(response), begin_by, deadline)) as pieces,
        ):
            async for piece in pieces:
                yield piece

    async def _begin(self, body: dict[str, Any], schema: Schema | None) -> httpx.Response:
        """Send the request in the best response format that the server takes, and remember it."""
        formats = self._formats if schema is not None else ("none",)
        for tried, response_format in enumerate(formats):
            asked = {**body, **_response_format(response_format, schema)}
            request = self._client.build_request("POST", "chat/completions", json=asked)
            response = await self._client.send(request, stream=True)
            if response.is_success:
                if schema is not None:
                    self._formats = (response_format,)
                return response
            async with aclosing(response):
                last = tried == len(formats) - 1
                if last or response.status_code not in _REFUSED:
                    raise _refusal(response.status_code, await beginning(response))
        raise AssertionError("there is always a format left to try")

    async def _first_model(self) -> str:
        async with coded(), asyncio.timeout(FIRST_PIECE_S):
            response = await self._client.get("models")
            if not response.is_success:
                raise _refusal(response.status_code, response.text)
            try:
                return str(response.json()["data"][0]["id"])
            except (ValueError, LookupError, TypeError) as error:
                raise AgentError("its list of models is not readable", code="llm_error") from error


async def _pieces(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The text in a response, streamed or (from servers that do not stream) whole."""
    if response.headers.get("content-type", "").startswith("application/json"):
        yield _text_in(await response.aread())
        return
    events = EventReader()
    async for received in response.aiter_bytes():
        try:
            completed = events.feed(received)
        except ValueError as error:
            raise AgentError(str(error), code="llm_error") from error
        for data in completed:
            if data == b"[DONE]":
                return
            if text := _text_in(data):
                yield text


def _text_in(data: bytes) -> str:
    try:
        chunk = msgspec.json.decode(data, type=_Chunk)
    except msgspec.DecodeError as error:
        raise AgentError(f"the server's stream is not readable: {error}", "llm_error") from error
    if chunk.error is not None:
        raise AgentError(f"the server failed: {on_one_line(str(chunk.error))}", "llm_error")
    if not chunk.choices:
        return ""
    text = chunk.choices[0].delta or chunk.choices[0].message
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
