"""A real server on a free port, with fakes behind it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hub.counters import Counters
from hub.edge.app import build_app
from hub.edge.auth import Gate
from hub.edge.server import KEEPALIVE, Keepalive, bind, serve
from hub.edge.services import EdgeFacts, EdgeServices, HubReport
from hub.store import tokens
from hub.store.schema import connect
from hub.store.tokens import Grant
from tests.fakes.jobs import FakeJobs
from tests.fakes.sessions import FakeSessions

FACTS = EdgeFacts()


class DbTokens:
    """The token store without its thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    async def find(self, token: str) -> Grant | None:
        return tokens.find(self.db, token)

    async def any_defined(self) -> bool:
        return tokens.any_defined(self.db)


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
    report: HubReport = field(default_factory=HubReport)

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
    tmp_path: Path, facts: EdgeFacts = FACTS, keepalive: Keepalive = KEEPALIVE
) -> AsyncIterator[Edge]:
    """An edge on a free port, for as long as the context is open."""
    sessions, jobs, counters = FakeSessions(), FakeJobs(), Counters()
    db = connect(tmp_path)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        made = Edge(port, sessions, jobs, counters, db, http)
        services = EdgeServices(
            sessions=sessions,
            jobs=jobs,
            gate=Gate(DbTokens(db), loopback=True),
            health=lambda: made.report,
            facts=facts,
            counters=counters,
            allowed_actions=lambda robot: made.allowed.get(robot),
        )
        stop, ready = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            app = build_app(services)
            tasks.create_task(serve(app, listener, stop, ready.set, keepalive=keepalive))
            await ready.wait()
            yield made
            for session in sessions.attached:
                session.link.close(1001, "the test is over")
            stop.set()
    db.close()
