"""A chat server of the OpenAI protocol that behaves, and misbehaves, as it is told to.

Real sockets; each request takes the next behaviour from a queue, the last one for ever.
"""

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from tests.fakes.http_server import HttpServer

GOOD_ANSWER = (
    '{"emotion": "happy", "intensity": 0.7, "mood_reason": "met", "gestures": ["nod"], ',
    '"memory_tags": [], "actions": [], "text": "Hello ',
    "there, ",
    'friend."}',
)

GOOD_PLAN = '{"actions": [{"action": "emote", "name": "happy"}], "ttl_ms": 900}'


@dataclass(frozen=True)
class Behaviour:
    """How one chat request is answered; one for a plan, by the name of its schema, with ``plan``.

    ``refuses`` names response formats that get ``refusal_status``; ``hangs_after`` and
    ``dies_after`` count pieces (0: before the first).
    """

    pieces: tuple[str, ...] = GOOD_ANSWER
    plan: str = GOOD_PLAN
    status: int = 200
    refuses: tuple[str, ...] = ()
    refusal_status: int = 400
    hangs_after: int | None = None
    dies_after: int | None = None
    raw: bytes | None = None
    streams: bool = True


class OpenAiServer(HttpServer):
    """``async with OpenAiServer(...) as server:``, then ask ``server.base_url``."""

    def __init__(self, *behaviours: Behaviour, models: tuple[str, ...] = ("tiny",)) -> None:
        super().__init__()
        self._behaviours = deque(behaviours or (Behaviour(),))
        self._models = models
        self.requests: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.hung = asyncio.Event()
        self.left = asyncio.Event()
        """A client closed its connection while it was being answered."""

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.headers.append(head)
        length = next(
            (
                int(line.split(":")[1])
                for line in head.split("\r\n")
                if line.lower().startswith("content-length")
            ),
            0,
        )
        body = await reader.readexactly(length)
        if head.startswith("GET"):
            listed = {"data": [{"id": model} for model in self._models]}
            self._send(writer, 200, "application/json", json.dumps(listed).encode())
        else:
            await self._chat(json.loads(body), reader, writer)
        return False

    async def _chat(
        self, asked: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.requests.append(asked)
        how = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
        response_format = asked.get("response_format", {}).get("type", "none")
        if response_format in how.refuses or how.status != 200:
            status = how.status if how.status != 200 else how.refusal_status
            self._send(writer, status, "application/json", b'{"error": {"message": "no"}}')
        elif how.raw is not None:
            self._send(writer, 200, "text/event-stream", how.raw)
        elif not how.streams:
            whole = {"choices": [{"message": {"content": "".join(how.pieces)}}]}
            self._send(writer, 200, "application/json", json.dumps(whole).encode())
        else:
            named = asked.get("response_format", {}).get("json_schema", {}).get("name")
            written = (how.plan,) if named == "plan" else how.pieces
            await self._stream(how, written, reader, writer)

    async def _stream(
        self,
        how: Behaviour,
        pieces: tuple[str, ...],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        writer.write(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for count, piece in enumerate((*pieces, None)):
            if count == how.dies_after:
                await writer.drain()
                writer.transport.abort()
                return
            if count == how.hangs_after:
                self.hung.set()
                await reader.read()  # ends when the client goes
                self.left.set()
                return
            chunk = {"choices": [{"delta": {"content": piece}, "finish_reason": None}]}
            data = b"[DONE]" if piece is None else json.dumps(chunk).encode()
            event = b"data: " + data + b"\n\n"
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _send(self, writer: asyncio.StreamWriter, status: int, kind: str, body: bytes) -> None:
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            % (status, kind.encode(), len(body))
        )
        writer.write(body)
