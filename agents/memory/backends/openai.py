"""Any server with the OpenAI embeddings API (``POST /v1/embeddings``)."""

import asyncio
import base64
import binascii
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx
import msgspec
import numpy as np

from agents.engines.language.http import client, coded, on_one_line
from agents.memory.backends.base import Embedded, Vectors
from agents.memory.settings import MemorySettings
from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable

LIST_S = 10.0
"""How long the list of models may take."""
MAX_ANSWER_BYTES = 32 << 20
"""A batch of the longest vectors there are, written out as numbers."""
MAX_DIMENSIONS = 8_192
FAILED = "embed_error"
_SELF_TEST = "the robot remembers"
_REFUSED_FORMAT = frozenset({400, 415, 422, 500, 501})
"""Answers of servers that do not know ``encoding_format``."""


class Server(NamedTuple):
    """Where a model is and how it is asked. ``model`` empty: the first that the server lists;
    ``dimensions`` 0: as many as the model makes."""

    base_url: str
    model: str = ""
    api_key: str = ""
    dimensions: int = 0
    timeout_s: float = 20.0


class _Vector(msgspec.Struct):
    embedding: str | list[float]
    index: int


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0


class _Answer(msgspec.Struct):
    data: list[_Vector]
    usage: _Usage | None = None


class _Listed(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Listed]


class OpenAiEmbedder:
    """Asks for vectors as base64, and as numbers of a server that does not know that. Texts that are
    too long for the model are refused by the server, or cut without a word, as it is set."""

    name = "openai"
    capacity = 16
    batch = 64

    def __init__(self, server: Server) -> None:
        self._server = server
        self.model = server.model
        self.space = ""
        self.counters: Counter[str] = Counter()
        self._formats: Sequence[str] = ("base64", "float")
        """Encodings still to be tried, the best first; one once the server took it."""
        self._client = client(server.base_url, server.api_key)

    @classmethod
    def from_settings(cls, settings: MemorySettings) -> "OpenAiEmbedder":
        """The server that the settings name.

        Raises:
            BackendUnavailable: they name none.
        """
        if not settings.base_url:
            raise BackendUnavailable("EMBED_BACKEND=openai needs EMBED_BASE_URL")
        key = settings.api_key.get_secret_value()
        server = Server(
            settings.base_url, settings.model, key, settings.dimensions, settings.timeout_s
        )
        return cls(server)

    async def start(self) -> None:
        """Choose the model, where none is named, and embed a sentence with it.

        Raises:
            BackendUnavailable: the server cannot be reached, or has no such model.
        """
        try:
            self.model = self.model or await self._first_model()
            embedded = await self.embed([_SELF_TEST])
        except AgentError as error:
            raise BackendUnavailable(f"{self._server.base_url}: {error}") from error
        self.space = f"openai/{self.model}/{embedded.vectors.shape[1]}"

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """See ``Embedder``.

        Raises:
            AgentError: the server cannot be reached, refuses, or answers what are no vectors.
        """
        async with coded(), asyncio.timeout(self._server.timeout_s):
            body = await self._asked(list(texts))
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError as error:
            raise AgentError(f"the server's answer is not readable: {error}", FAILED) from error
        vectors = _vectors_in(answer, len(texts))
        if self.space and not self.space.endswith(f"/{vectors.shape[1]}"):
            raise AgentError("the server's vectors have other dimensions than before", FAILED)
        return Embedded(vectors, answer.usage.prompt_tokens if answer.usage else 0)

    async def _asked(self, texts: list[str]) -> bytes:
        """Send in the best encoding that the server takes, and remember it; what it answers."""
        asked: dict[str, Any] = {"model": self.model, "input": texts}
        if self._server.dimensions:
            asked["dimensions"] = self._server.dimensions
        for tried, encoding in enumerate(self._formats):
            more = {"encoding_format": encoding} if encoding != "float" else {}
            request = self._client.build_request("POST", "embeddings", json={**asked, **more})
            response = await self._client.send(request, stream=True)
            async with aclosing(response):
                body = await _body_of(response)
            if response.is_success:
                self._formats = (encoding,)
                return body
            last = tried == len(self._formats) - 1
            if last or response.status_code not in _REFUSED_FORMAT:
                # Once it serves, what a server says may quote what people wrote.
                raise _refusal(response.status_code, b"" if self.space else body)
            self.counters["formats.refused"] += 1
        raise AssertionError("there is always a format left to try")

    async def _first_model(self) -> str:
        async with coded(), asyncio.timeout(LIST_S):
            response = await self._client.send(
                self._client.build_request("GET", "models"), stream=True
            )
            async with aclosing(response):
                body = await _body_of(response)
        if not response.is_success:
            raise _refusal(response.status_code, body)
        try:
            return msgspec.json.decode(body, type=_List).data[0].id
        except (msgspec.DecodeError, IndexError) as error:
            raise AgentError("its list of models is not readable", FAILED) from error


def _vectors_in(answer: _Answer, count: int) -> Vectors:
    """The vectors of an answer in the order of the texts, of unit length."""
    ordered = sorted(answer.data, key=lambda one: one.index)
    if [one.index for one in ordered] != list(range(count)):
        raise AgentError(f"the server answered {len(ordered)} vectors for {count} texts", FAILED)
    try:
        rows = [_row(one.embedding) for one in ordered]
    except (ValueError, binascii.Error) as error:
        raise AgentError(f"a vector is not readable: {error}", FAILED) from error
    if len({len(row) for row in rows}) != 1 or not 0 < len(rows[0]) <= MAX_DIMENSIONS:
        raise AgentError("the server's vectors have no dimensions, or unlike ones", FAILED)
    vectors = np.stack(rows).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(vectors).all() or not (lengths > 0).all():
        raise AgentError("a vector of the server has no direction", FAILED)
    return np.asarray(vectors / lengths, np.float32)


def _row(embedding: str | list[float]) -> Vectors:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4")
    return np.asarray(embedding, np.float32)


async def _body_of(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise AgentError(f"the server's answer passes {MAX_ANSWER_BYTES} bytes", FAILED)
    return bytes(body)


def _refusal(status: int, body: bytes) -> AgentError:
    said = on_one_line(body[:2_000].decode(errors="replace"))
    detail = f"the server answered {status}{said and ': '}{said}"
    match status:
        case 429:
            return BackendBusy(detail)
        case 401 | 403 | 404 | 502 | 503 | 504:
            return BackendUnavailable(detail)
    return AgentError(detail, FAILED)
