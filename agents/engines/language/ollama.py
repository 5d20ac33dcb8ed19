"""An Ollama server by its native API: texts streamed as lines of JSON, models pulled if missing.

The protocol is that of Ollama's ``docs/api.md``: ``/api/tags`` lists what is there, ``/api/pull``
fetches a model, ``/api/chat`` writes.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, TypeVar

import httpx
import msgspec
import structlog

from agents.engines.language.base import ChatMessage, Ending, Prompt, Schema, refuse_guide
from agents.engines.language.formats import UNBOUND, Formats
from agents.engines.language.http import Patience, beginning, client, coded, on_one_line
from agents.engines.language.ndjson import LineReader
from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable
from agents.runtime.progress import progress

LIST_S = 3.0
FIRST_PIECE_S = 60.0
"""A model that is not in memory is loaded first."""
ANSWER_S = 90.0
"""How long one answer may take in all."""
MAX_OUTPUT_TOKENS = 512

_REFUSED = frozenset({400, 422})
"""Answers of servers that know no schema (before 0.5) or no format at all."""

log = structlog.get_logger(__name__)


class Server(NamedTuple):
    """Where a model is and how it is asked. ``model`` empty: the first that the server lists whose
    name begins with ``family``."""

    base_url: str
    model: str
    auto_pull: bool = True
    pull_timeout_s: float = 1800.0
    answer_keep_alive: str = "0s"
    plan_keep_alive: str = "0s"
    plan_timeout_s: float = 5.0
    num_ctx: int = 4096
    temperature: float = 0.7
    family: str = ""
    answer_s: float = ANSWER_S


class _Text(msgspec.Struct):
    content: str = ""


class _Chunk(msgspec.Struct):
    message: _Text | None = None
    done: bool = False
    error: str = ""
    done_reason: str = "stop"
    prompt_eval_count: int = 0
    eval_count: int = 0


class _Pulled(msgspec.Struct):
    status: str = ""
    digest: str = ""
    total: int = 0
    completed: int = 0
    error: str = ""


class _Model(msgspec.Struct):
    name: str


class _Models(msgspec.Struct):
    models: list[_Model] = []


Line = TypeVar("Line", _Chunk, _Pulled, _Models)


class OllamaModel:
    """Streams texts of one model; closing one closes its connection, at which Ollama stops."""

    name = "ollama"
    capacity = 1
    """Ollama has a queue of its own; what it does not do at once it lets wait."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.model = server.model
        self.where = server.base_url
        self._formats = Formats(("schema", "json", UNBOUND), _REFUSED, _refusal)
        self._client = client(server.base_url)

    async def start(self) -> None:
        """See that the server has the model; let it fetch the model if it may.

        Raises:
            BackendUnavailable: the server cannot be reached, or does not have the model and may
                not or cannot fetch it.
        """
        try:
            listed = await self._listed()
            self.model = self.model or self._first_of_family(listed)
            if _tagged(self.model) in listed:
                return
            if not self._server.auto_pull:
                raise BackendUnavailable(
                    f"it does not have the model {self.model}; fetch it by `ollama pull"
                    f" {self.model}`, or let AUTO_PULL_OLLAMA_MODEL=1 do that"
                )
            await self._pull()
        except AgentError as error:
            raise BackendUnavailable(f"{self.where}: {error}") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        refuse_guide(prompt, self.name)
        allowed_s = self._server.plan_timeout_s if prompt.is_plan else self._server.answer_s
        patience = Patience.of(prompt, allowed_s, FIRST_PIECE_S)
        body, schema = self._body(prompt), prompt.schema

        async def send(name: str) -> httpx.Response:
            asked = {**body, **_format(name, schema)}
            request = self._client.build_request("POST", "api/chat", json=asked)
            return await self._client.send(request, stream=True)

        def read(response: httpx.Response) -> AsyncGenerator[str, None]:
            return _texts(response, prompt.ended)

        written = self._formats.pieces(schema is not None, send, read, patience)
        async with aclosing(written) as pieces:
            async for piece in pieces:
                yield piece

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        server, temperature = self._server, prompt.temperature
        drawn = {"top_p": prompt.top_p, "stop": list(prompt.stop) or None, "seed": prompt.seed}
        keep_alive = server.plan_keep_alive if prompt.is_plan else server.answer_keep_alive
        return {
            "model": self.model,
            "messages": [_message(message) for message in prompt.messages],
            "stream": True,
            "think": False,
            "keep_alive": _duration(keep_alive),
            "options": {
                "temperature": server.temperature if temperature is None else temperature,
                "num_predict": prompt.max_tokens or MAX_OUTPUT_TOKENS,
                "num_ctx": server.num_ctx,
                **{name: value for name, value in drawn.items() if value is not None},
            },
        }

    def _first_of_family(self, listed: Sequence[str]) -> str:
        family = self._server.family
        for name in listed:
            if name.startswith(family):
                return name
        raise BackendUnavailable(f"it has no model whose name begins with {family!r}")

    async def _listed(self) -> Sequence[str]:
        """Names of the models that the server has."""
        async with coded(), asyncio.timeout(LIST_S):
            response = await self._client.get("api/tags")
        if not response.is_success:
            raise _refusal(response.status_code, response.text)
        return [model.name for model in _read(response.content, _Models).models]

    async def _pull(self) -> None:
        """Let the server fetch the model, and tell how far it is.

        Raises:
            BackendUnavailable: it cannot; ``BackendTimeout``: not within ``pull_timeout_s``.
        """
        log.info("model_pull", where=self.where, model=self.model)
        download = Download(f"pulling {self.model}")
        request = self._client.build_request(
            "POST", "api/pull", json={"model": self.model, "stream": True}
        )
        async with coded(), asyncio.timeout(self._server.pull_timeout_s):
            response = await self._client.send(request, stream=True)
            async with aclosing(response):
                if not response.is_success:
                    raise _refusal(response.status_code, await beginning(response))
                async for line in _lines(response):
                    told = _read(line, _Pulled)
                    if told.error:
                        raise BackendUnavailable(f"pulling {self.model}: {told.error}")
                    if told.status == "success":
                        log.info("model_pulled", where=self.where, model=self.model)
                        return
                    download.layer(told.digest or told.status, told.completed, told.total)
        raise BackendUnavailable(f"pulling {self.model} ended before it was done")


class Download:
    """Adds up the layers of a pull and reports each whole per cent once, in bytes."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._layers: dict[str, tuple[int, int]] = {}
        self._told = -1

    def layer(self, digest: str, completed: int, total: int) -> None:
        """``completed`` of ``total`` bytes of a layer are there; totals grow as layers begin."""
        self._layers[digest] = (completed, total)
        done = sum(completed for completed, _ in self._layers.values())
        of = sum(total for _, total in self._layers.values())
        percent = 100 * done // of if of else 0
        if percent != self._told:
            self._told = percent
            progress(self._step, done, of, "bytes")


async def _lines(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    reader = LineReader()
    async for received in response.aiter_bytes():
        try:
            lines = reader.feed(received)
        except ValueError as error:
            raise AgentError(str(error), code="llm_error") from error
        for line in lines:
            yield line
    for line in reader.finish():
        yield line


async def _texts(
    response: httpx.Response, ended: Callable[[Ending], None]
) -> AsyncGenerator[str, None]:
    """The text in a response, up to the line that says that it is done."""
    async with aclosing(_lines(response)) as lines:
        async for line in lines:
            chunk = _read(line, _Chunk)
            if chunk.error:
                raise AgentError(f"the server failed: {on_one_line(chunk.error)}", "llm_error")
            if chunk.message is not None and chunk.message.content:
                yield chunk.message.content
            if chunk.done:
                ended(Ending(chunk.done_reason, chunk.prompt_eval_count, chunk.eval_count))
                return
    raise BackendUnavailable("the server ended its answer before it was done")


def _read(line: bytes, kind: type[Line]) -> Line:
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError as error:
        raise AgentError(f"the server's stream is not readable: {error}", "llm_error") from error


def _tagged(model: str) -> str:
    """``model`` as the server lists it."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def _message(message: ChatMessage) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.pictures:
        said["images"] = [base64.b64encode(picture.data).decode() for picture in message.pictures]
    return said


def _format(name: str, schema: Schema | None) -> dict[str, Any]:
    match name:
        case "schema" if schema is not None:
            return {"format": schema.schema}
        case "json":
            return {"format": "json"}
    return {}


def _duration(text: str) -> str | float:
    """``keep_alive`` as the server reads it: seconds must be a number, ``5m`` a text."""
    try:
        return float(text)
    except ValueError:
        return text


def _refusal(status: int, text: str) -> AgentError:
    """503 says here that the server's queue is full, 404 that it does not have the model."""
    detail = f"the server answered {status}: {on_one_line(text)}"
    match status:
        case 429 | 503:
            return BackendBusy(detail)
        case 401 | 403 | 404 | 502 | 504:
            return BackendUnavailable(detail)
    return AgentError(detail, code="llm_error")
