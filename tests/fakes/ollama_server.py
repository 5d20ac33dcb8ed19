"""An Ollama server that behaves, and misbehaves, as it is told to.

Real sockets; each chat request takes the next behaviour from a queue, the last one for ever. A
pull takes the one it was given, and adds the model to what is there once it succeeds.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.http_server import HttpServer
from tests.fakes.openai_server import GOOD_ANSWER, GOOD_PLAN

Json = dict[str, Any]

GOOD_PULL: Sequence[Json] = (
    {"status": "pulling manifest"},
    {"status": "pulling aaa", "digest": "sha256:aaa", "total": 300},
    {"status": "pulling aaa", "digest": "sha256:aaa", "total": 300, "completed": 150},
    {"status": "pulling aaa", "digest": "sha256:aaa", "total": 300, "completed": 300},
    {"status": "pulling bbb", "digest": "sha256:bbb", "total": 100, "completed": 100},
    {"status": "verifying sha256 digest"},
    {"status": "success"},
)


@dataclass(frozen=True)
class Behaviour:
    """How one chat request is answered; one for a plan, by the fields of its format, with ``plan``.

    ``refuses`` names kinds of format (``schema``, ``json``) that get a 400; ``hangs_after``,
    ``dies_after``, ``fails_after`` and ``ends_after`` count pieces (0: before the first).
    """

    pieces: tuple[str, ...] = GOOD_ANSWER
    plan: str = GOOD_PLAN
    status: int = 200
    refuses: tuple[str, ...] = ()
    hangs_after: int | None = None
    dies_after: int | None = None
    fails_after: int | None = None
    ends_after: int | None = None
    raw: bytes | None = None


class OllamaServer(HttpServer):
    """``async with OllamaServer(...) as server:``, then ask ``server.url``."""

    def __init__(
        self,
        *behaviours: Behaviour,
        models: Sequence[str] = ("tiny:latest",),
        pull: Sequence[Json] = GOOD_PULL,
        tags: tuple[int, bytes] | None = None,
    ) -> None:
        super().__init__()
        self._behaviours = deque(behaviours or (Behaviour(),))
        self._pull = pull
        self._tags = tags
        self.models = list(models)
        self.requests: list[Json] = []
        self.pulls: list[Json] = []
        self.hung = asyncio.Event()
        self.left = asyncio.Event()
        """A client closed its connection while it was being answered."""

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        match path:
            case "/api/tags":
                listed = {"models": [{"name": name, "size": 1} for name in self.models]}
                status, tags = self._tags or (200, json.dumps(listed).encode())
                _send(writer, status, tags)
            case "/api/pull":
                await self._answer_pull(json.loads(body), writer)
            case "/api/chat":
                await self._chat(json.loads(body), reader, writer)
            case _:
                _send(writer, 404, b"404 page not found")
        return False

    async def _answer_pull(self, asked: Json, writer: asyncio.StreamWriter) -> None:
        self.pulls.append(asked)
        _begin(writer)
        for told in self._pull:
            if told.get("status") == "success":
                self.models.append(asked["model"])
            await _line(writer, json.dumps(told).encode() + b"\n")
        await _end(writer)

    async def _chat(
        self, asked: Json, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.requests.append(asked)
        how = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
        asked_format = asked.get("format")
        kind = "schema" if isinstance(asked_format, dict) else asked_format
        if kind in how.refuses:
            _send(writer, 400, b'{"error": "format must be something else"}')
        elif how.status != 200:
            _send(writer, how.status, b'{"error": "no such luck"}')
        elif how.raw is not None:
            _begin(writer)
            await _line(writer, how.raw)
            await _end(writer)
        else:
            for_plan = isinstance(asked_format, dict) and "ttl_ms" in asked_format["properties"]
            pieces = (how.plan,) if for_plan else how.pieces
            await self._write(how, pieces, reader, writer)

    async def _write(
        self,
        how: Behaviour,
        pieces: tuple[str, ...],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        _begin(writer)
        for count, chunk in _chunks(pieces):
            if count == how.dies_after:
                await writer.drain()
                writer.transport.abort()
                return
            if count == how.hangs_after:
                self.hung.set()
                await reader.read()  # ends when the client goes
                self.left.set()
                return
            if count == how.ends_after:
                break
            if count == how.fails_after:
                chunk = {"error": "llama runner process has terminated"}
            await _line(writer, json.dumps(chunk).encode() + b"\n")
        await _end(writer)


def _chunks(pieces: tuple[str, ...]) -> Iterator[tuple[int, Json]]:
    for count, piece in enumerate(pieces):
        yield count, {"message": {"role": "assistant", "content": piece}, "done": False}
    last = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    yield len(pieces), last


def _begin(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n")
    writer.write(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")


async def _line(writer: asyncio.StreamWriter, line: bytes) -> None:
    if line:
        writer.write(b"%x\r\n%s\r\n" % (len(line), line))
        await writer.drain()


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _send(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(
        b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n" % (status, len(body))
    )
    writer.write(body)
