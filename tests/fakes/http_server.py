"""What the fake HTTP servers share: real sockets on loopback, and every connection ended at the end."""

import asyncio
from contextlib import suppress
from typing import Self


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
