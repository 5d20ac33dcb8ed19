"""A real server on a free port, with fakes behind it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import APIRouter
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hub.counters import Counters
from hub.edge.app import build_app
from hub.edge.auth import Gate
from hub.edge.limits import BODY_PATIENCE, BodyPatience, HeadLimits
from hub.edge.server import HEAD_LIMITS, KEEPALIVE, Keepalive, bind, serve
from hub.edge.services import EdgeFacts, EdgeServices, HubReport
from hub.reminders.desk import ReminderDesk
from hub.store import tokens
from hub.store.schema import connect
from hub.store.tokens import Grant, Scope, TokenInfo
from hub.trace.folder import TraceFolder
from tests.fakes.jobs import FakeJobs
from tests.fakes.minds import FakeMinds
from tests.fakes.reminders import KeptReminders
from tests.fakes.sessions import FakeSessions

FACTS = EdgeFacts()
BERLIN = ZoneInfo("Europe/Berlin")


class DbTokens:
    """The token store without its thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    async def find(self, token: str) -> Grant | None:
        return tokens.find(self.db, token)

    async def find_by_id(self, token_id: str) -> Grant | None:
        return tokens.find_by_id(self.db, token_id)

    async def any_defined(self) -> bool:
        return tokens.any_defined(self.db)

    async def create(
        self, robot: str, label: str, scope: Scope | None = None, rate: int | None = None
    ) -> str:
        return tokens.create(self.db, robot, label, scope=scope, rate=rate)

    async def listed(self) -> tuple[TokenInfo, ...]:
        return tokens.listed(self.db)

    async def revoke(self, token_id: str) -> bool:
        return tokens.revoke(self.db, token_id)


@dataclass
class Edge:
    """The served edge and what stands behind it."""

    port: int
    sessions: FakeSessions
    jobs: FakeJobs
    counters: Counters
    db: sqlite3.Connection
    http: httpx.AsyncClient
    allowed: dict[str, frozenset[str]] = field(default_factory=dict)
    quiet: set[str] = field(default_factory=set)
    kept: KeptReminders = field(default_factory=KeptReminders)
    zone: ZoneInfo = BERLIN
    report: HubReport = field(default_factory=HubReport)
    services: EdgeServices | None = None
    minds: FakeMinds = field(default_factory=FakeMinds)

    def ws(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


async def received(socket: ClientConnection) -> str | bytes:
    """The next frame that is not a question for the time."""
    while True:
        frame: str | bytes = await socket.recv()
        if not (isinstance(frame, str) and '"type":"ping"' in frame):
            return frame


async def drained(socket: ClientConnection) -> tuple[int, str, list[str | bytes]]:
    """Close code, its reason, and all frames that came before it."""
    frames: list[str | bytes] = []
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionClosed):
            while True:
                frames.append(await socket.recv())
    return socket.close_code or 0, socket.close_reason or "", frames


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with served(tmp_path) as made:
        yield made


@contextlib.asynccontextmanager
async def served(
    tmp_path: Path,
    facts: EdgeFacts = FACTS,
    keepalive: Keepalive = KEEPALIVE,
    *,
    head: HeadLimits = HEAD_LIMITS,
    patience: BodyPatience = BODY_PATIENCE,
    routes: APIRouter | None = None,
    **rules: Any,
) -> AsyncIterator[Edge]:
    """An edge on a free port, for as long as the context is open. ``rules`` are the gate's,
    ``routes`` are served before the edge's own."""
    sessions, jobs, counters = FakeSessions(), FakeJobs(), Counters()
    db = connect(tmp_path)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        made = Edge(port, sessions, jobs, counters, db, http)
        services = EdgeServices(
            sessions=sessions,
            jobs=jobs,
            gate=Gate(DbTokens(db), **{"loopback": True, **rules}),
            health=lambda: made.report,
            facts=facts,
            counters=counters,
            allowed_actions=lambda robot: made.allowed.get(robot),
            is_quiet=lambda robot: robot in made.quiet,
            reminders=ReminderDesk(made.kept, lambda: 1_800_000_000.0, lambda robot: made.zone),
            patience=patience,
            minds=made.minds,
            traces=TraceFolder(tmp_path / "traces"),
        )
        made.services = services
        stop, ready = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            app = build_app(services)
            if routes is not None:
                app.router.routes[:0] = routes.routes
            tasks.create_task(
                serve(
                    app, listener, stop, ready.set,
                    keepalive=keepalive, counters=counters, head=head,
                )
            )  # fmt: skip
            await ready.wait()
            yield made
            for session in sessions.attached:
                session.link.close(1001, "the test is over")
            stop.set()
    db.close()
