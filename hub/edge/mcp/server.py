"""The tools as a server of the official SDK; the only module of the hub that imports it.

Two managers serve the same tools: one keeps sessions and streams, so that progress and
``notifications/cancelled`` find their call; the other answers each request by itself, as JSON. A
client that names a protocol from 2026 on needs no session: closing its stream cancels its call.
"""

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import mcp_types as wire
import structlog
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hub.counters import Counters
from hub.edge.disconnect import watched
from hub.edge.grants import grant_of
from hub.edge.held_body import off_loop
from hub.edge.limits import PARSED_IN_PLACE_BYTES, BodyClass
from hub.edge.mcp.light import restored
from hub.edge.mcp.tool import Answer, Call, Tool
from hub.jobs.inference import Picture
from hub.store.tokens import Grant
from protocols.errors import HubError

NAME = "robot-hub"
INSTRUCTIONS = (
    "Models (txt2txt, txt2img, img2img, img2txt) and robots (say, emote, gesture, look, get_state,"
    " recent_events, get_memory) of one hub. Pictures go in as base64 or data: URIs."
)
SESSION_IDLE_S = 600.0
MAX_SESSIONS = 256

T = TypeVar("T")
Context = ServerRequestContext[Any, Request]

log = structlog.get_logger()


class CallerGone(Exception):
    """Whoever called a tool has closed the connection that the answer would go to."""


class Given(NamedTuple):
    """What the door gives a request along: ``aside`` are texts that its message named, ``gone`` is
    set when its connection is."""

    aside: dict[str, str]
    gone: asyncio.Event


class Managers(NamedTuple):
    """The two ways of serving."""

    with_sessions: StreamableHTTPSessionManager
    one_by_one: StreamableHTTPSessionManager

    async def serve(self, scope: Scope, receive: Receive, send: Send, *, alone: bool) -> None:
        """Answer one HTTP request; ``alone`` if it is of no session and wants none."""
        scope["user"] = user_of(grant_of(Request(scope)))
        manager = self.one_by_one if alone else self.with_sessions
        await manager.handle_request(scope, receive, send)


@asynccontextmanager
async def opened(
    tools: Sequence[Tool], counters: Counters, version: str
) -> AsyncGenerator[Managers, None]:
    """Managers that serve ``tools``, for as long as the context is open."""
    # What the SDK writes below an error holds what clients sent.
    for name in ("mcp", "sse_starlette"):
        logging.getLogger(name).setLevel(logging.ERROR)
    server = _Tools(tools, counters).server(version)
    body = BodyClass.MEDIA.value
    sessions = StreamableHTTPSessionManager(
        server,
        session_idle_timeout=SESSION_IDLE_S,
        max_sessions=MAX_SESSIONS,
        max_request_body_size=body,
    )
    alone = StreamableHTTPSessionManager(
        server, json_response=True, stateless=True, max_request_body_size=body
    )
    async with sessions.run(), alone.run():
        yield Managers(sessions, alone)


def user_of(grant: Grant) -> AuthenticatedUser:
    """The caller as the SDK knows one: a session is its maker's alone."""
    return AuthenticatedUser(AccessToken(token="", client_id=grant.id, scopes=[]))


class _Tools:
    """The SDK's handlers."""

    def __init__(self, tools: Sequence[Tool], counters: Counters) -> None:
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        self._counters = counters

    def server(self, version: str) -> Server[Any]:
        return Server(
            NAME,
            version=version,
            instructions=INSTRUCTIONS,
            on_list_tools=self.list,
            on_call_tool=self.call,
        )

    async def list(
        self, context: Context, _: wire.PaginatedRequestParams | None
    ) -> wire.ListToolsResult:
        """The tools that the caller may call."""
        grant = grant_of(_request(context))
        return wire.ListToolsResult(
            tools=[_told(tool) for tool in self._tools.values() if tool.is_for(grant)]
        )

    async def call(
        self, context: Context, params: wire.CallToolRequestParams
    ) -> wire.CallToolResult:
        """Call a tool. What fails is an answer that says so; an unknown tool is an error of the
        protocol."""
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(wire.INVALID_PARAMS, f"there is no tool {params.name[:64]!r}")
        request = _request(context)
        given: Given = request.state.mcp
        arguments = restored(params.arguments or {}, given.aside)
        call = Call(grant_of(request), context.session.report_progress)
        self._counters.count(f"mcp_calls.{tool.name}")
        try:
            return await _result(await watched(_raise_when(given.gone), tool(arguments, call)))
        except HubError as error:
            self._counters.count(f"mcp_failures.{error.code}")
            return _failure(f"{error.code}: {error}")
        except CallerGone:
            self._counters.count("mcp_callers_gone")
            return _failure("nobody is there to be answered")
        except Exception:
            log.exception("mcp tool crashed", tool=tool.name)
            self._counters.count("mcp_failures.internal_error")
            return _failure("internal_error: the hub failed to do this")


async def _raise_when(gone: asyncio.Event) -> None:
    await gone.wait()
    raise CallerGone


def _request(context: Context) -> Request:
    request = context.request
    assert request is not None  # every call comes by HTTP
    return request


def _told(tool: Tool) -> wire.Tool:
    return wire.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        annotations=wire.ToolAnnotations(read_only_hint=not tool.acts, open_world_hint=False),
    )


async def _result(answer: Answer) -> wire.CallToolResult:
    content: list[wire.ContentBlock] = [await _image(picture) for picture in answer.pictures]
    content.append(wire.TextContent(text=answer.text))
    return wire.CallToolResult(content=content, structured_content=answer.data)


async def _image(picture: Picture) -> wire.ImageContent:
    if len(picture.data) > PARSED_IN_PLACE_BYTES:
        data = await off_loop(base64.b64encode, picture.data)
    else:
        data = base64.b64encode(picture.data)
    return wire.ImageContent(data=data.decode(), mime_type=picture.media_type)


def _failure(text: str) -> wire.CallToolResult:
    return wire.CallToolResult(content=[wire.TextContent(text=text)], is_error=True)
