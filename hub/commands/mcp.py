"""``robot-hub mcp``: a running hub's tools for a program that speaks MCP over stdin and stdout.

One process and no second hub: what the program asks is asked of the hub over HTTP, and cancelled
there when the program cancels it.
"""

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Any

import httpx2
import mcp_types as wire
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from hub.commands.client import Address, HubRefused, HubUnreachable
from hub.edge.limits import BodyClass

CONNECT_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 660.0
"""A little longer than the hub lets any job take."""
MAX_EVENT_BYTES = 2 * BodyClass.MEDIA.value
"""Largest answer: a picture in base64."""
NAME = "robot-hub"

Context = ServerRequestContext[Any, Any]


def bridge(address: Address) -> None:
    """Serve the program at the other end of stdin and stdout until it closes them.

    Raises:
        HubUnreachable: no hub answers at ``address``.
        HubRefused: it answers, and serves us no tools.
    """
    asyncio.run(_bridge(address))


async def _bridge(address: Address) -> None:
    async with AsyncExitStack() as stack:
        client = await _connected(address, stack)
        server = _Relay(client).server()
        read, write = await stack.enter_async_context(stdio_server())
        await server.run(read, write, server.create_initialization_options())


async def _connected(address: Address, stack: AsyncExitStack) -> Client:
    """Raises as ``bridge``."""
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    http = httpx2.AsyncClient(
        headers=headers,
        timeout=httpx2.Timeout(CALL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        trust_env=False,  # a hub is on this network: no proxy is the way to it
    )
    url = f"{address.url}/mcp"
    try:
        await stack.enter_async_context(http)
        answer = await http.get(f"{address.url}/health")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise HubUnreachable(f"no hub answers at {address.url}: {reason}") from None
    if answer.status_code in (401, 403):
        raise HubRefused(f"the hub at {address.url} refused ({answer.status_code}): set HUB_TOKEN")
    transport = streamable_http_client(url, http_client=http, max_sse_event_size=MAX_EVENT_BYTES)
    try:
        return await stack.enter_async_context(Client(transport))
    except MCPError as error:
        raise HubRefused(f"{url} serves no tools: {error}") from None
    except ExceptionGroup as group:
        raise HubRefused(f"{url} serves no tools: {group.exceptions[0]}") from None


class _Relay:
    """Asks the hub what it is asked."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def server(self) -> Server[Any]:
        return Server(
            NAME,
            version=version("robot-hub"),
            instructions=self._client.instructions,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def _list(
        self, context: Context, params: wire.PaginatedRequestParams | None
    ) -> wire.ListToolsResult:
        cursor = params.cursor if params is not None else None
        return await self._client.list_tools(cursor=cursor, cache_mode="bypass")

    async def _call(
        self, context: Context, params: wire.CallToolRequestParams
    ) -> wire.CallToolResult:
        return await self._client.call_tool(
            params.name, params.arguments, progress_callback=context.session.report_progress
        )
