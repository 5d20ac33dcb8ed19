"""A server of Anthropic's Messages API that behaves, and misbehaves, as it is told to.

Real sockets; each request takes the next behaviour from a queue, the last one for ever.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.fakes.http_server import HttpServer

Json = dict[str, Any]


@dataclass(frozen=True)
class Behaviour:
    """How one request is answered. ``hangs_after``, ``dies_after``, ``fails_after`` and
    ``ends_after`` count pieces (0: before the first); ``refuses_tools`` answers those with a 400."""

    pieces: tuple[str, ...] = ("It is ", "a red ", "square.")
    status: int = 200
    refuses_tools: bool = False
    stop_reason: str = "end_turn"
    fault: str = "overloaded_error"
    hangs_after: int | None = None
    dies_after: int | None = None
    fails_after: int | None = None
    ends_after: int | None = None
    raw: bytes | None = None


class AnthropicServer(HttpServer):
    """``async with AnthropicServer(...) as server:``, then ask ``server.url``."""

    def __init__(self, *behaviours: Behaviour, models: tuple[str, ...] = ("newest", "old")) -> None:
        super().__init__()
        self._behaviours = deque(behaviours or (Behaviour(),))
        self._models = models
        self.requests: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.hung = asyncio.Event()
        self.left = asyncio.Event()
        """A client closed its connection while it was being answered."""

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        self.headers.append(headers)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        match head.split()[:2]:
            case _ if not headers.get("x-api-key") or not headers.get("anthropic-version"):
                _send(writer, 401, _fault("authentication_error"))
            case ["GET", "/v1/models"]:
                _send(writer, 200, {"data": [{"id": name} for name in self._models]})
            case ["POST", "/v1/messages"]:
                await self._message(json.loads(body), reader, writer)
            case _:
                _send(writer, 404, _fault("not_found_error"))
        return False

    async def _message(
        self, asked: Json, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.requests.append(asked)
        how = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
        if how.refuses_tools and "tools" in asked:
            _send(writer, 400, _fault("invalid_request_error"))
        elif how.status != 200:
            _send(writer, how.status, _fault("api_error"))
        else:
            await self._stream(how, "tools" in asked, reader, writer)

    async def _stream(
        self,
        how: Behaviour,
        by_tool: bool,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        writer.write(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        if how.raw is not None:
            await _chunk(writer, how.raw)
            await _chunk(writer, b"")
            return
        for count, event in _events(how, by_tool):
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
                event = _fault(how.fault)
            data = json.dumps(event)
            await _chunk(writer, f"event: {event['type']}\ndata: {data}\n\n".encode())
        await _chunk(writer, b"")


def _events(how: Behaviour, by_tool: bool) -> Iterator[tuple[int, Json]]:
    """Each event, and how many pieces were before it; -1 before the first one is due."""
    usage = {"input_tokens": 25, "output_tokens": 1}
    yield -1, {"type": "message_start", "message": {"id": "msg_1", "usage": usage, "content": []}}
    begun = {"type": "tool_use", "id": "toolu_1"} if by_tool else {"type": "text", "text": ""}
    yield -1, {"type": "content_block_start", "index": 0, "content_block": begun}
    yield -1, {"type": "ping"}
    for count, piece in enumerate(how.pieces):
        delta = {"type": "text_delta", "text": piece}
        if by_tool:
            delta = {"type": "input_json_delta", "partial_json": piece}
        yield count, {"type": "content_block_delta", "index": 0, "delta": delta}
    count = len(how.pieces)
    yield count, {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": how.stop_reason, "stop_sequence": None}
    yield count, {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 7}}
    yield count, {"type": "message_stop"}


def _fault(kind: str) -> Json:
    return {"type": "error", "error": {"type": kind, "message": "no such luck"}}


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
    await writer.drain()


def _send(writer: asyncio.StreamWriter, status: int, answer: Json) -> None:
    body = json.dumps(answer).encode()
    writer.write(
        b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n" % (status, len(body))
    )
    writer.write(body)
