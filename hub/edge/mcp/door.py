"""``/mcp``: where programs come in that speak the Model Context Protocol.

The SDK is imported when the first of them knocks: a hub that nobody asks for tools pays nothing for
it. Even in a thread this holds the interpreter for moments of a few tenths of a second, so it is done
when no robot is in a turn.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from hub.edge.http_errors import answer_at
from hub.edge.mcp.light import read_light
from hub.edge.mcp.metric_tools import MetricTools
from hub.edge.mcp.model_tools import ModelTools
from hub.edge.mcp.reminder_tools import ReminderTools
from hub.edge.mcp.robot_tools import RobotParts, RobotTools
from hub.edge.mcp.tool import Tool
from hub.edge.services import EdgeServices
from hub.errors import NotReady
from hub.recent import RecentEvents
from hub.session.view import Views
from protocols.errors import HubError

if TYPE_CHECKING:
    from hub.edge.mcp.server import Managers

PATHS = ("/mcp", "/mcp/", "/localai/mcp", "/localai/mcp/")
QUIET_S = 10.0
"""How long the first who knocks waits for robots that speak."""
_LOOK_AGAIN_S = 0.1
_MODERN = "2026"
"""Protocols are named by their dates; from this year on a request stands alone and may stream."""


class McpDoor:
    """The routes of one hub. ``run`` must run while they are served. ``views`` knows the robots,
    ``recent`` what happened to them, and ``may_look`` is the consent to pictures of a robot."""

    def __init__(
        self,
        services: EdgeServices,
        views: Views,
        recent: RecentEvents,
        may_look: Callable[[str], bool],
    ) -> None:
        self._services = services
        self._views = views
        parts = RobotParts(views, recent, may_look)
        self._tools: tuple[Tool, ...] = (
            *ModelTools(services).all(),
            *RobotTools(services, parts).all(),
            *ReminderTools(services.reminders, views).all(),
            *MetricTools(services).all(),
        )
        self._knocked = asyncio.Event()
        self._opened: asyncio.Future[Managers] | None = None
        self._callers: set[asyncio.Event] = set()

    def routes(self) -> list[Route]:
        """The routes; none of them stands in the OpenAPI document, which has no words for them."""
        return [Route(path, endpoint=self, include_in_schema=False) for path in PATHS]

    async def run(self) -> None:
        """Serve whoever comes, until cancelled."""
        opened = self._opened = asyncio.get_running_loop().create_future()
        try:
            await self._knocked.wait()
            await self._nobody_speaks()
            server = await asyncio.to_thread(import_module, "hub.edge.mcp.server")
            services = self._services
            version = services.facts.version
            async with server.opened(self._tools, services.counters, version) as managers:
                opened.set_result(managers)
                await asyncio.Event().wait()
        finally:
            self._opened = None
            opened.cancel()
            for gone in self._callers:
                gone.set()

    async def _nobody_speaks(self) -> None:
        """Return once no robot is in a turn, or after ``QUIET_S``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                while any(self._views.view(name).turn for name in self._views.connected()):  # noqa: ASYNC110 - of many robots, and once
                    await asyncio.sleep(_LOOK_AGAIN_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        request = Request(scope, receive)
        try:
            managers = await self._managers()
            light = await read_light(request)
        except HubError as error:
            await answer_at(scope["path"], error)(scope, receive, send)
            return
        from hub.edge.mcp.server import Given

        gone = asyncio.Event()
        request.state.mcp = Given(light.aside, gone)
        self._callers.add(gone)
        try:
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(_set_when_gone(request, gone))
                told = _told(light.body, gone)
                alone = _stands_alone(request, light.method)
                await managers.serve(scope, told, send, alone=alone)
                watch.cancel()
        finally:
            self._callers.discard(gone)

    async def _managers(self) -> "Managers":
        """Raises:
        NotReady: the hub is not up yet, or not any more.
        """
        opened = self._opened
        if opened is None:
            raise NotReady("the hub serves no tools at the moment")
        self._knocked.set()
        try:
            return await asyncio.shield(opened)
        except asyncio.CancelledError:
            if opened.cancelled():
                raise NotReady("the hub serves no tools any more") from None
            raise


def _stands_alone(request: Request, method: str) -> bool:
    """Whether a request is of no session and wants none, or cannot read a stream."""
    if request.headers.get("mcp-protocol-version", "") >= _MODERN:
        return not _streams(request)
    if "mcp-session-id" in request.headers or request.method != "POST":
        return False
    return method != "initialize" or not _streams(request)


def _streams(request: Request) -> bool:
    accepted = ",".join(request.headers.getlist("accept")).lower()
    return "text/event-stream" in accepted or "*/*" in accepted


def _told(body: bytes, gone: asyncio.Event) -> Receive:
    """What the SDK hears of a request: its message, and then that the connection is gone."""
    pending = [body]

    async def receive() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    return receive


async def _set_when_gone(request: Request, gone: asyncio.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
