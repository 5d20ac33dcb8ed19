"""What the fake HTTP servers share: real sockets on loopback, and every connection ended at the end."""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, Self, TypeVar

B = TypeVar("B")


class HttpServer:
    """``async with Server() as server:``, then ask ``server.url``. A server says in ``_answer`` how one
    request is answered, and whether the connection goes on."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._served = asyncio.Event()

    async def listen(self, port: int = 0) -> None:
        """Come up, or up again."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        while self._open:
            self._served.clear()
            await self._served.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer):
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self._open.discard(writer)
        self._served.set()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; whether another may follow on this connection."""
        raise NotImplementedError


class ListingServer(HttpServer, Generic[B]):
    """A server of the OpenAI protocol: it lists ``models``, or answers ``list_status`` to that. Each
    other request takes the next of ``behaviours``, the last one for ever."""

    def __init__(
        self, behaviours: Sequence[B], models: tuple[str, ...], list_status: int = 200
    ) -> None:
        super().__init__()
        self._behaviours = deque(behaviours)
        self._models, self._list_status = models, list_status
        self.heads: list[str] = []
        self.waiting = 0
        """Requests that hang now."""
        self.most_waiting = 0
        self.hung = asyncio.Event()
        self.left = asyncio.Event()
        """A client closed its connection while it was being answered."""

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lengths = [line for line in head.split("\r\n") if line.lower().startswith("content-length")]
        body = await reader.readexactly(int(lengths[0].split(":")[1]) if lengths else 0)
        if head.startswith("GET"):
            listed = {"data": [{"id": model} for model in self._models]}
            send(writer, self._list_status, json.dumps(listed).encode())
            return True
        how = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
        return await self._obey(how, head, body, reader, writer)

    async def _obey(
        self,
        how: B,
        head: str,
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answer one request as ``how`` says; whether another may follow on this connection."""
        raise NotImplementedError

    async def _until_left(self, reader: asyncio.StreamReader) -> None:
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        self.hung.set()
        with suppress(ConnectionError):
            await reader.read()  # ends when the client goes
        self.waiting -= 1
        self.left.set()


def begin(writer: asyncio.StreamWriter, status: int, length: int) -> None:
    """The head of an answer in JSON."""
    writer.write(
        b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % (status, length)
    )


def send(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    """An answer in JSON."""
    begin(writer, status, len(body))
    writer.write(body)
