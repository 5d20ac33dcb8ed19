"""Anthropic's Messages API: texts streamed as server-sent events, pictures in the messages.

The protocol is that of its public reference (``POST /v1/messages``, ``GET /v1/models``, version
2023-06-01). What the API has no field for: a seed, which is said in the log once; temperatures above
1, which are 1 here; and schemas as such, so the model is made to call a tool whose input obeys one,
and that input is the text.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx
import msgspec
import structlog

from agents.engines.language.base import ChatMessage, Ending, Prompt, Schema, refuse_guide
from agents.engines.language.formats import UNBOUND, Formats
from agents.engines.language.http import Patience, client, coded, first_listed, on_one_line
from agents.engines.language.sse import events_of
from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable

VERSION = "2023-06-01"
FIRST_PIECE_S = 20.0
MAX_OUTPUT_TOKENS = 512

_REFUSED = frozenset({400, 422})
_BUSY = frozenset({"overloaded_error", "rate_limit_error"})
_REASONS = {"max_tokens": "length", "model_context_window_exceeded": "length"}
"""How a text ended, where it is not ``stop``."""

log = structlog.get_logger(__name__)


class Server(NamedTuple):
    """Where a model is and how it is asked. ``model`` empty: the first that the server lists, which
    is its newest."""

    api_key: str
    base_url: str = "https://api.anthropic.com"
    model: str = ""
    timeout_s: float = 60.0


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0


class _Begun(msgspec.Struct):
    usage: _Usage | None = None


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Fault(msgspec.Struct):
    type: str = ""
    message: str = ""


class _Event(msgspec.Struct):
    type: str
    message: _Begun | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: _Fault | None = None


class AnthropicModel:
    """Streams texts of one model; closing one closes its connection."""

    name = "anthropic"
    capacity = 8

    def __init__(self, server: Server) -> None:
        self._server = server
        self.model = server.model
        self.where = server.base_url
        self._formats = Formats(("tool", UNBOUND), _REFUSED, _refusal)
        self._client = client(server.base_url)
        self._client.headers["anthropic-version"] = VERSION
        self._client.headers["x-api-key"] = server.api_key
        self._said_seedless = False

    async def start(self) -> None:
        """Choose the model, where none is named.

        Raises:
            BackendUnavailable: the server cannot be reached, or does not take the key.
        """
        try:
            self.model = self.model or await self._newest_model()
        except AgentError as error:
            raise BackendUnavailable(f"{self.where}: {error}") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        refuse_guide(prompt, self.name)
        patience = Patience.of(prompt, self._server.timeout_s, FIRST_PIECE_S)
        body, schema = self._body(prompt), prompt.schema

        async def send(name: str) -> httpx.Response:
            asked = {**body, **(_tool(schema) if name == "tool" and schema else {})}
            request = self._client.build_request("POST", "v1/messages", json=asked)
            return await self._client.send(request, stream=True)

        bound = schema is not None and schema.schema.get("type") == "object"
        reading = _Reading()
        written = self._formats.pieces(bound, send, reading.pieces, patience)
        async with aclosing(written) as pieces:
            async for piece in pieces:
                yield piece
        prompt.ended(reading.ending)

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        if prompt.seed is not None and not self._said_seedless:
            self._said_seedless = True
            log.warning("seed_not_used", where=self.where)
        rules = "\n\n".join(m.text for m in prompt.messages if m.role == "system" and m.text)
        warmth = prompt.temperature
        drawn = {
            "system": rules or None,
            "temperature": None if warmth is None else min(1.0, warmth),
            "top_p": prompt.top_p,
            "stop_sequences": list(prompt.stop) or None,
        }
        return {
            "model": self.model,
            "max_tokens": prompt.max_tokens or MAX_OUTPUT_TOKENS,
            "messages": [_message(m) for m in prompt.messages if m.role != "system"],
            "stream": True,
            **{name: value for name, value in drawn.items() if value is not None},
        }

    async def _newest_model(self) -> str:
        async with coded(), asyncio.timeout(FIRST_PIECE_S):
            response = await self._client.get("v1/models")
        return first_listed(response, _refusal)


class _Reading:
    """Reads one stream; ``ending`` is how it ended."""

    def __init__(self) -> None:
        self.ending = Ending()

    async def pieces(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        """The text, up to the event that says that the message is complete."""
        async with aclosing(events_of(response)) as events:
            async for data in events:
                event = _read(data)
                if event.type == "message_stop":
                    return
                if text := self._text_in(event):
                    yield text
        raise BackendUnavailable("the server ended its answer before it was done")

    def _text_in(self, event: _Event) -> str:
        delta = event.delta or _Delta()
        match event.type:
            case "content_block_delta":
                return delta.text or delta.partial_json
            case "message_start" if event.message is not None and event.message.usage is not None:
                self.ending = self.ending._replace(prompt_tokens=event.message.usage.input_tokens)
            case "message_delta":
                usage, reason = event.usage or _Usage(), delta.stop_reason or ""
                self.ending = self.ending._replace(
                    completion_tokens=usage.output_tokens,
                    finish_reason=_REASONS.get(reason, "stop"),
                )
            case "error":
                fault = event.error or _Fault()
                detail = f"the server failed: {on_one_line(fault.message or fault.type)}"
                raise (
                    BackendBusy(detail) if fault.type in _BUSY else AgentError(detail, "llm_error")
                )
        return ""


def _read(data: bytes) -> _Event:
    try:
        return msgspec.json.decode(data, type=_Event)
    except msgspec.DecodeError as error:
        raise AgentError(f"the server's stream is not readable: {error}", "llm_error") from error


def _message(message: ChatMessage) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    for picture in message.pictures:
        data = base64.b64encode(picture.data).decode()
        source = {"type": "base64", "media_type": picture.media_type, "data": data}
        parts.append({"type": "image", "source": source})
    if message.text or not parts:
        # An empty text is refused; a message of nothing is one of a space's worth.
        parts.append({"type": "text", "text": message.text or "(nothing)"})
    return {"role": message.role, "content": parts}


def _tool(schema: Schema) -> dict[str, Any]:
    tool = {
        "name": schema.name,
        "description": "Takes the answer.",
        "input_schema": schema.schema,
    }
    return {"tools": [tool], "tool_choice": {"type": "tool", "name": schema.name}}


def _refusal(status: int, text: str) -> AgentError:
    """529 says here that the servers are overloaded, 402 that nobody pays."""
    detail = f"the server answered {status}: {on_one_line(text)}"
    match status:
        case 429 | 529:
            return BackendBusy(detail)
        case 401 | 402 | 403 | 404 | 500 | 502 | 503 | 504:
            return BackendUnavailable(detail)
    return AgentError(detail, code="llm_error")
