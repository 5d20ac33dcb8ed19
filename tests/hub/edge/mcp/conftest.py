"""An edge that serves tools, and the SDK's own client in front of it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import httpx
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from hub.counters import Counters
from hub.edge.app import build_app
from hub.edge.auth import Gate
from hub.edge.mcp.door import McpDoor
from hub.edge.server import bind, serve
from hub.edge.services import EdgeServices, HubReport
from hub.recent import RecentEvents
from hub.reminders.desk import ReminderDesk
from hub.store.schema import connect
from tests.fakes.jobs import FakeJobs
from tests.fakes.reminders import KeptReminders
from tests.fakes.sessions import FakeSessions
from tests.fakes.views import FakeViews
from tests.hub.edge.conftest import DbTokens

LEGACY, MODERN = "legacy", "auto"


@dataclass
class Tools:
    """A hub's tools and what stands behind them."""

    port: int
    jobs: FakeJobs
    sessions: FakeSessions
    counters: Counters
    db: sqlite3.Connection
    views: FakeViews = field(default_factory=FakeViews)
    recent: RecentEvents = field(default_factory=RecentEvents)
    consent: set[str] = field(default_factory=set)
    kept: KeptReminders = field(default_factory=KeptReminders)
    now_ns: int = 10_000_000_000
    running: "asyncio.Task[None] | None" = None

    async def close(self) -> None:
        """End the serving of tools, as a hub that ends does."""
        assert self.running is not None
        self.running.cancel()
        await asyncio.wait([self.running])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @asynccontextmanager
    async def client(self, token: str = "", mode: str = MODERN) -> AsyncIterator[Client]:
        """The SDK's client, of the protocol before 2026 (``legacy``) or of the newest."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with create_mcp_http_client(headers=headers) as http:
            transport = streamable_http_client(self.url, http_client=http)
            async with Client(transport, mode=mode) as client:
                yield client

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with contextlib.closing(connect(tmp_path)) as db:
        made = Tools(port, FakeJobs(), FakeSessions(), Counters(), db)
        services = EdgeServices(
            sessions=made.sessions,
            jobs=made.jobs,
            gate=Gate(DbTokens(db), loopback=True),
            health=HubReport,
            counters=made.counters,
            clock_ns=lambda: made.now_ns,
            reminders=ReminderDesk(made.kept, lambda: 1_800_000_000.0, lambda robot: UTC),
        )
        door = McpDoor(services, made.views, made.recent, lambda robot: robot in made.consent)
        stop, ready = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            made.running = tasks.create_task(door.run())
            tasks.create_task(serve(build_app(services, door), listener, stop, ready.set))
            await ready.wait()
            yield made
            made.running.cancel()
            stop.set()
