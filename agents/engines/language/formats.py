"""Servers that do not know the best way of holding a model to a schema are asked in a lesser one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import httpx

from agents.engines.language.http import Patience, Refusal, beginning, coded, in_time

Pieces = AsyncGenerator[str, None]
Send = Callable[[str], Awaitable[httpx.Response]]
Read = Callable[[httpx.Response], Pieces]

UNBOUND = "none"
"""The name of the format that binds the model to nothing."""


class Formats:
    """The response formats of one server, still to be tried, the best first; one once it took it.

    Args:
        names: of the formats, ``UNBOUND`` last.
        refused: status codes by which servers refuse a format that they do not know.
        refusal: of the server.
    """

    def __init__(
        self,
        names: Sequence[str],
        refused: frozenset[int],
        refusal: Refusal,
    ) -> None:
        self._names = names
        self._refused = refused
        self._refusal = refusal

    async def pieces(self, has_schema: bool, send: Send, read: Read, patience: Patience) -> Pieces:
        """The text that ``read`` finds in the response to the request; closing this ends it.

        Raises:
            AgentError: as ``begin`` and ``in_time``.
        """
        async with coded(), asyncio.timeout_at(patience.begin_by):
            response = await self.begin(has_schema, send)
        async with aclosing(response), aclosing(in_time(read(response), patience)) as pieces:
            async for piece in pieces:
                yield piece

    async def begin(self, has_schema: bool, send: Send) -> httpx.Response:
        """The response to the request in the best format that the server takes; remember which.

        Args:
            has_schema: whether the text must obey a schema at all.
            send: sends the request in the format of that name, and does not read the response.

        Raises:
            AgentError: the server refuses it in every format, or for another reason.
        """
        names = self._names if has_schema else (UNBOUND,)
        for tried, name in enumerate(names):
            response = await send(name)
            if response.is_success:
                if has_schema:
                    self._names = (name,)
                return response
            async with aclosing(response):
                last = tried == len(names) - 1
                if last or response.status_code not in self._refused:
                    raise self._refusal(response.status_code, await beginning(response))
        raise AssertionError("there is always a format left to try")
