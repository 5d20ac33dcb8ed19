"""Any server that speaks the OpenAI chat API: answers streamed as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, NamedTuple

import httpx
import msgspec
import structlog

from agents.planner.prompt import (
    ChatMessage,
    answer_schema,
    conversation_messages,
    plan_messages,
    plan_schema,
)
from agents.planner.sse import EventReader
from agents.runtime.errors import AgentError, BackendBusy, BackendTimeout, BackendUnavailable
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

CONNECT_S = 3.0
FIRST_PIECE_S = 10.0
IDLE_S = 5.0
"""Longest wait for the next piece of an answer that has begun."""
MAX_OUTPUT_TOKENS = 512
MAX_PLAN_CHARS = 32_768
MAX_LIST_BYTES = 1 << 20
MAX_ERROR_CHARS = 300

_SELFTEST = TurnStart(user_text="hello", emotions=("neutral", "happy"))
_REFUSED = frozenset({400, 415, 422, 500, 501})
"""Answers of servers that do not know a response format (llama.cpp's Python server says 500)."""

log = structlog.get_logger(__name__)


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


class OpenAiPlanner:
    """Streams answers of a chat model; closing an answer closes its connection, which is how these
    servers are told to stop generating."""

    name = "openai"
    capacity = 8

    def __init__(self, server: Server) -> None:
        self._server = server
        self._model = server.model
        self._formats: Sequence[str] = ("json_schema", "json_object", "none")
        """Response formats still to be tried, the best first; one once the server took it."""
        key = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
        self._client = httpx.AsyncClient(
            base_url=server.base_url.rstrip("/") + "/",
            headers=key,
            timeout=httpx.Timeout(None, connect=CONNECT_S),
        )

    async def start(self) -> None:
        """Choose the model and let it begin one answer.

        Raises:
            BackendUnavailable: the server cannot be reached or does not answer as it should.
        """
        try:
            self._model = self._model or await self._first_model()
            async with aclosing(self.answer(_SELFTEST)) as pieces:
                await anext(pieces, "")
        except BackendBusy:
            log.info("selftest_skipped", reason="server is busy")
        except AgentError as error:
            raise BackendUnavailable(f"{self._server.base_url}: {error}") from error
        log.info("model_chosen", model=self._model, response_format=self._formats[0])

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """Stream the model's answer."""
        body = self._body(conversation_messages(turn), turn.temperature, turn.max_output_tokens)
        async with aclosing(self._written(body, "answer", answer_schema(turn))) as pieces:
            async for piece in pieces:
                yield piece

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """The model's plan, read to its end."""
        body, text = self._body(plan_messages(world, max_actions)), ""
        async with aclosing(self._written(body, "plan", plan_schema())) as pieces:
            async for piece in pieces:
                text += piece
                if len(text) > MAX_PLAN_CHARS:
                    break
        return text

    def _body(
        self,
        messages: list[ChatMessage],
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": messages,
            "stream": True,
            "temperature": self._server.temperature if temperature is None else temperature,
            "max_tokens": max_tokens or MAX_OUTPUT_TOKENS,
        }

    async def _written(
        self, body: dict[str, Any], name: str, schema: dict[str, Any]
    ) -> AsyncGenerator[str, None]:
        """What the model writes, in pieces, each within its time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._server.timeout_s
        begin_by = min(deadline, loop.time() + FIRST_PIECE_S)
        async with _coded(), asyncio.timeout_at(begin_by):
            response = await self._begin(body, name, schema)
        async with aclosing(response), aclosing(_pieces(response)) as pieces:
            wait_until = begin_by
            while True:
                async with _coded(), asyncio.timeout_at(wait_until):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                wait_until = min(deadline, loop.time() + IDLE_S)
                yield piece

    async def _begin(
        self, body: dict[str, Any], name: str, schema: dict[str, Any]
    ) -> httpx.Response:
        """Send the request in the best response format that the server takes, and remember it."""
        for tried, response_format in enumerate(self._formats):
            asked = {**body, **_response_format(response_format, name, schema)}
            request = self._client.build_request("POST", "chat/completions", json=asked)
            response = await self._client.send(request, stream=True)
            if response.is_success:
                self._formats = (response_format,)
                return response
            async with aclosing(response):
                last = tried == len(self._formats) - 1
                if last or response.status_code not in _REFUSED:
                    raise _refusal(response.status_code, await _beginning(response))
        raise AssertionError("there is always a format left to try")

    async def _first_model(self) -> str:
        async with _coded(), asyncio.timeout(FIRST_PIECE_S):
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
        raise AgentError(f"the server failed: {str(chunk.error)[:MAX_ERROR_CHARS]}", "llm_error")
    if not chunk.choices:
        return ""
    text = chunk.choices[0].delta or chunk.choices[0].message
    return (text.content or "") if text is not None else ""


def _response_format(name: str, title: str, schema: dict[str, Any]) -> dict[str, Any]:
    match name:
        case "json_schema":
            wanted = {"name": title, "schema": schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": wanted}}
        case "json_object":
            return {"response_format": {"type": "json_object"}}
    return {}


def _refusal(status: int, text: str) -> AgentError:
    detail = f"the server answered {status}: {' '.join(text.split())[:MAX_ERROR_CHARS]}"
    match status:
        case 429:
            return BackendBusy(detail)
        case 401 | 403 | 502 | 503 | 504:
            return BackendUnavailable(detail)
    return AgentError(detail, code="llm_error")


async def _beginning(response: httpx.Response) -> str:
    """The first characters of an error's text."""
    async for text in response.aiter_text():
        return text[:MAX_ERROR_CHARS]
    return ""


@asynccontextmanager
async def _coded() -> AsyncIterator[None]:
    """Turns what the network raises into agent errors."""
    try:
        yield
    except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
        raise BackendTimeout("the server did not answer in time") from error
    except httpx.HTTPError as error:
        raise BackendUnavailable(f"the server cannot be reached: {error}") from error
