"""Servers of tools by the official SDK; the only module of the planner that imports it."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import mcp_types as wire
from mcp.client.client import Client
from mcp.client.session import IncomingMessage
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from agents.planner.tools.belt import Link, Listed, Returned
from agents.planner.tools.servers import HttpServer, Server, StdioServer

CONNECT_S = 10.0
ANSWER_S = 10.0
"""How long a server may take to list its tools; a call has its own budget."""
MAX_EVENT_BYTES = 4 * 1024 * 1024
NAME = "robot-hub-planner"


@asynccontextmanager
async def connected(server: Server) -> AsyncGenerator[Link, None]:
    """A connection to ``server`` for as long as the context is open.

    Raises:
        Exception: whatever the SDK, the process or the network has to say; the server is not there.
    """
    # What the SDK writes below an error holds what servers sent.
    logging.getLogger("mcp").setLevel(logging.ERROR)
    changed = asyncio.Event()

    async def hear(message: IncomingMessage) -> None:
        if isinstance(message, wire.ToolListChangedNotification):
            changed.set()

    async with AsyncExitStack() as stack:
        transport = await _transport(server, stack)
        client = Client(
            transport,
            message_handler=hear,
            client_info=wire.Implementation(name=NAME, version="1"),
            read_timeout_seconds=CONNECT_S,
        )
        yield SdkLink(await stack.enter_async_context(client), changed)


async def _transport(server: Server, stack: AsyncExitStack) -> Any:
    match server:
        case StdioServer():
            # What a server writes to its stderr is nobody's: it may be what somebody said.
            nowhere = stack.enter_context(os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
            process = StdioServerParameters(
                command=server.command, args=list(server.args), env=dict(server.env)
            )
            return stdio_client(process, errlog=nowhere)
        case HttpServer():
            http = httpx2.AsyncClient(
                headers=server.headers, timeout=httpx2.Timeout(ANSWER_S), trust_env=False
            )
            await stack.enter_async_context(http)
            return streamable_http_client(
                server.url, http_client=http, max_sse_event_size=MAX_EVENT_BYTES
            )


class SdkLink:
    """A ``Link`` over the SDK's client."""

    def __init__(self, client: Client, changed: asyncio.Event) -> None:
        self._client = client
        self.changed = changed

    async def tools(self, most: int) -> list[Listed]:
        """See ``Link``."""
        found: list[Listed] = []
        cursor: str | None = None
        while len(found) < most:
            page = await self._client.list_tools(cursor=cursor, cache_mode="bypass")
            found += [Listed(t.name, t.description or "", t.input_schema) for t in page.tools]
            cursor = page.next_cursor
            if cursor is None or not page.tools:
                break
        return found[:most]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Returned:
        """See ``Link``. Of pictures and files a model is told that they came, and no more."""
        result = await self._client.call_tool(tool, arguments)
        parts = [_told(part) for part in result.content]
        if not parts and result.structured_content is not None:
            parts = [json.dumps(result.structured_content, ensure_ascii=False)]
        return Returned("\n".join(parts), bool(result.is_error))


def _told(part: wire.ContentBlock) -> str:
    return part.text if isinstance(part, wire.TextContent) else f"({part.type} came, unread)"
