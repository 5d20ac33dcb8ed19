"""The HTTP API against its own OpenAPI document: requests that obey it and requests that do not are
answered as it says, and never by a bug."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from hub.edge.app import build_app
from hub.edge.auth import Gate
from hub.edge.services import EdgeServices, HubReport
from hub.reminders.desk import ReminderDesk
from tests.e2e.processes import CONVERSATION, SCRIPTED, START_S, running
from tests.fakes.jobs import FakeJobs
from tests.fakes.reminders import KeptReminders
from tests.fakes.sessions import FakeSessions
from tests.hub.edge.conftest import DbTokens

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from hypothesis import HealthCheck, settings  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = pytest.mark.engine

EXAMPLES = 15
"""Of each operation, beside those that cover its schema one keyword after the other."""
PATIENCE_S = 30

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


EVERYTHING = {
    **SCRIPTED,
    "HUB_AGENTS": f"{CONVERSATION},vision,memory,image_gen",
    "VISION_BACKEND": "scripted",
    "EMBED_BACKEND": "scripted",
    "IMAGE_BACKEND": "scripted",
    "MODEL_ALIASES": "*=",
    "HUB_RATE_PER_MINUTE": "0",
}
"""Every route has somebody behind it, whatever model it is asked for."""


class Run(NamedTuple):
    """A hub that runs, an administrator's token, and what ends it."""

    url: str
    token: str
    end: Callable[[], object]


def _services() -> EdgeServices:
    gate = Gate(DbTokens(sqlite3.connect(":memory:")), loopback=True)
    reminders = ReminderDesk(KeptReminders(), lambda: 0.0)
    return EdgeServices(FakeSessions(), FakeJobs(), gate, HubReport, reminders=reminders)


DOCUMENT = schemathesis.openapi.from_dict(build_app(_services()).openapi())


async def _run(folder: Path, begun: "Future[Run]") -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with running(folder, EVERYTHING) as hub:
        await hub.ready()
        # The first token that a request makes would close the hub to all that come after it.
        async with httpx.AsyncClient(base_url=hub.url, trust_env=False) as http:
            made = (await http.post("/tokens", json={"scope": "admin"})).json()
        begun.set_result(Run(hub.url, made["token"], lambda: loop.call_soon_threadsafe(ended.set)))
        await ended.wait()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A hub and its agents; a thread of its own waits for them."""
    begun: Future[Run] = Future()
    folder = tmp_path_factory.mktemp("hub")
    thread = threading.Thread(target=lambda: asyncio.run(_run(folder, begun)))
    thread.start()
    run = begun.result(START_S)
    yield run
    run.end()
    thread.join(START_S)


@DOCUMENT.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
def test_every_answer_is_documented_and_none_is_a_bug(case: Any, hub: Run) -> None:
    admin = {"Authorization": f"Bearer {hub.token}"}
    answer = case.call(base_url=hub.url, headers=admin, timeout=PATIENCE_S)
    case.validate_response(answer, checks=CHECKS)
    # Engines that cannot do what they were asked for are told by other codes.
    assert answer.status_code != 500, answer.text
