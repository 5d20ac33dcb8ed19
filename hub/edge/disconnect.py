"""Work that ends with the client who wanted it."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")

CLIENT_STALL_S = 10.0
"""A client that takes nothing of its answer for so long is given up."""


class ClientGone(Exception):
    """The client of a request disconnected; nobody is there to be answered."""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is cancelled if the client disconnects. The request's body
    must have been read.

    Raises:
        ClientGone: it did.
    """
    return await watched(_raise_when_gone(request), work)


async def watched(watch: Coroutine[Any, Any, None], work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is cancelled by what ``watch`` raises, and raises that."""
    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch)
            try:
                result = await work
            except Exception as error:
                failure = error
            watching.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    if failure is None:
        return result
    # An error keeps the frames that it has left. One of them keeps it in turn if it went through a
    # group, or is named here: only the collector would ever find what a refusal leaves.
    try:
        raise failure
    finally:
        del failure


async def _raise_when_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise ClientGone


class AudioResponse(Response):
    """Streams audio; closes its source when it is through, or when the client is gone or stalls."""

    def __init__(
        self, source: AsyncGenerator[bytes, None], headers: Mapping[str, str], media_type: str
    ) -> None:
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)
        del self.headers["content-length"]
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            await while_connected(request, self._stream(send))
        except (ClientGone, TimeoutError):
            return
        finally:
            await self._source.aclose()

    async def _stream(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for chunk in self._source:
            async with asyncio.timeout(CLIENT_STALL_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
