"""The tools of all servers: kept at hand, offered to the robots that may use them, and called within
their budget. The wire is ``agents/planner/tools/client.py``'s."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol

import structlog

from agents.planner.tools.allowed import Allowed
from agents.planner.tools.base import ToolOffer, ToolResult, ToolWish
from agents.planner.tools.pins import Pinned, Pins, digest_of
from agents.planner.tools.servers import Server

RELIST_S = 60.0
"""How often a server is asked what it offers; it shows, too, whether it is there at all."""
RETRY_S = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
"""How long a server that is lost is left alone, by how often it was in a row."""
MAX_OFFERS = 16
"""Tools that a model is told of."""
MAX_TOOLS = 128
"""Tools of one server that are looked at."""
MAX_DESCRIPTION_CHARS = 600
MAX_SCHEMA_CHARS = 2_000
MAX_RESULT_CHARS = 2_000
MAX_ARGUMENT_CHARS = 4_000

log = structlog.get_logger(__name__)


class Listed(NamedTuple):
    """A tool as its server tells of it."""

    name: str
    description: str
    schema: dict[str, Any]


class Returned(NamedTuple):
    """What a server answered to a call."""

    text: str
    failed: bool = False


class Link(Protocol):
    """A connection to a server. What it raises says that the server is lost."""

    changed: asyncio.Event
    """The server says that it offers other tools now."""

    async def tools(self, most: int) -> list[Listed]:
        """What it offers, ``most`` of it."""

    async def call(self, tool: str, arguments: dict[str, Any]) -> Returned:
        """Call a tool; cancelled, the server is told."""


Connect = Callable[[Server], AbstractAsyncContextManager[Link]]


class _Tool(NamedTuple):
    offer: ToolOffer
    server: str
    name: str
    link: Link


class Belt:
    """A ``Tools`` over ``servers``. ``run`` must run."""

    def __init__(
        self,
        servers: Mapping[str, Server],
        allowed: Allowed,
        pins: Pins,
        connect: Connect,
        budget_s: float,
    ) -> None:
        self._servers = servers
        self._allowed = allowed
        self._pins = pins
        self._connect = connect
        self._budget_s = budget_s
        self._tools: dict[str, dict[str, _Tool]] = {}
        self._lost: dict[str, asyncio.Event] = {}
        self._told: set[str] = set()
        self.counters: Counter[str] = Counter()
        self.news = asyncio.Event()
        """Set whenever what a server offers was noted, or a server was lost."""

    async def run(self) -> None:
        """Keep the servers at hand until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name in self._servers:
                tasks.create_task(self._keep(name), name=f"tools of {name}")

    def offers(self, robot: str) -> tuple[ToolOffer, ...]:
        """See ``Tools``."""
        found = [
            tool.offer
            for server, tools in sorted(self._tools.items())
            for tool in tools.values()
            if self._allowed(robot, server, tool.name)
        ]
        return tuple(found[:MAX_OFFERS])

    def has(self, robot: str, name: str) -> bool:
        """See ``Tools``."""
        return any(offer.name == name for offer in self.offers(robot))

    async def call(self, robot: str, wish: ToolWish) -> ToolResult:
        """See ``Tools``."""
        tool = self._find(robot, wish.name)
        if tool is None:
            return self._failed(wish.name, "no_such_tool", "there is no such tool")
        if len(json.dumps(wish.arguments, ensure_ascii=False)) > MAX_ARGUMENT_CHARS:
            return self._failed(wish.name, "bad_arguments", "its arguments are too long")
        began_s = time.monotonic()
        result = await self._called(tool, wish)
        ms = (time.monotonic() - began_s) * 1_000
        self.counters[f"tools.{result.code or 'called'}"] += 1
        return result._replace(ms=round(ms, 1))

    async def _called(self, tool: _Tool, wish: ToolWish) -> ToolResult:
        try:
            async with asyncio.timeout(self._budget_s):
                returned = await tool.link.call(tool.name, wish.arguments)
        except TimeoutError:
            return ToolResult(wish.name, "it took too long", "tool_timeout")
        except Exception as error:
            # Whatever a server or its client comes up with is the end of this call, and of the
            # connection; never of the turn.
            log.warning("mcp_call_failed", tool=wish.name, error=type(error).__name__)
            self._lose(tool.server)
            return ToolResult(wish.name, "its server was lost", "tool_server_lost")
        text = bounded(returned.text)
        return ToolResult(wish.name, text, "tool_failed" if returned.failed else "")

    def _find(self, robot: str, name: str) -> _Tool | None:
        if not self.has(robot, name):
            return None
        server, _, tool = name.partition(".")
        return self._tools.get(server, {}).get(tool)

    def _failed(self, name: str, code: str, text: str) -> ToolResult:
        self.counters[f"tools.{code}"] += 1
        return ToolResult(name, text, code)

    # the servers

    async def _keep(self, name: str) -> None:
        """Have a connection to a server, again and again."""
        failures = 0
        while True:
            began_s = time.monotonic()
            try:
                async with self._connect(self._servers[name]) as link:
                    await self._follow(name, link)
            except Exception as error:
                # One server's failure is nobody else's.
                self._say_once(f"{name} lost {error!r}", "mcp_server_lost", server=name)
                self.counters["tools.server_lost"] += 1
            finally:
                self._tools.pop(name, None)
                self._lost.pop(name, None)
                self.news.set()
            lasted = time.monotonic() - began_s > RELIST_S
            failures = 0 if lasted else failures + 1
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])

    async def _follow(self, name: str, link: Link) -> None:
        """Note what a server offers, until it is lost."""
        lost = self._lost[name] = asyncio.Event()
        while not lost.is_set():
            await self._note(name, link)
            link.changed.clear()
            try:
                async with asyncio.timeout(RELIST_S):
                    await _first_of(lost, link.changed)
            except TimeoutError:
                continue

    async def _note(self, name: str, link: Link) -> None:
        found: dict[str, _Tool] = {}
        for listed in await link.tools(MAX_TOOLS):
            offer = ToolOffer(f"{name}.{listed.name}", listed.description, listed.schema)
            if self._is_usable(offer):
                found[listed.name] = _Tool(offer, name, listed.name, link)
        await asyncio.to_thread(self._pins.save)
        self._tools[name] = found
        self.news.set()

    def _is_usable(self, offer: ToolOffer) -> bool:
        schema = json.dumps(offer.schema)
        if len(offer.description) > MAX_DESCRIPTION_CHARS or len(schema) > MAX_SCHEMA_CHARS:
            self._say_once(offer.name, "mcp_tool_too_wordy", tool=offer.name)
            return False
        if self._pins.check(offer) is Pinned.CHANGED:
            self.counters["tools.changed"] += 1
            self._say_once(digest_of(offer), "mcp_tool_changed", tool=offer.name)
            return False
        return True

    def _lose(self, server: str) -> None:
        self._tools.pop(server, None)
        if server in self._lost:
            self._lost[server].set()

    def _say_once(self, what: str, event: str, **fields: str) -> None:
        if what not in self._told:
            self._told.add(what)
            log.warning(event, **fields)


async def _first_of(*events: asyncio.Event) -> None:
    """Return when one of ``events`` is set."""
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(event.wait()) for event in events]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()


def bounded(text: str) -> str:
    """What a tool returned as a model may be told it: plain, and not too much."""
    kept = text[:MAX_RESULT_CHARS]
    plain = "".join(char if char.isprintable() or char == "\n" else " " for char in kept)
    return plain if len(text) <= MAX_RESULT_CHARS else f"{plain} … (cut off)"
