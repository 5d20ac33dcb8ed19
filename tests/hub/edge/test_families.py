"""Base paths, the bare paths beside them, and old ports that open onto a base."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from websockets.asyncio.client import connect

from hub.edge.app import build_app
from hub.edge.rooted import rooted
from hub.edge.server import bind, serve
from hub.edge.services import HubReport
from hub.jobs.orders import JobFact
from hub.listen import FAMILIES
from hub.store import tokens
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatDelta, ChatDone
from protocols.messages.job import PlanDone
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_http import WORLD, Agent

MIND = Agent(AgentKind.PLANNER, backend="ollama", model="llava:13b")


@asynccontextmanager
async def old_port(edge: Edge, base: str) -> AsyncIterator[int]:
    """A further listener of the edge, that opens onto ``base``."""
    assert edge.services is not None
    listener = bind("127.0.0.1", 0)
    stop, ready = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        app = build_app(edge.services)
        tasks.create_task(serve(app, listener, stop, ready.set, root=base))
        await ready.wait()
        yield listener.getsockname()[1]
        stop.set()


@pytest.mark.parametrize(
    ("path", "base", "under"),
    [
        ("/health", "/fictures", "/fictures/health"),
        ("/", "/auraos", "/auraos/"),
        ("/fictures/health", "/fictures", "/fictures/health"),
        ("/auraos/ask", "/fictures", "/auraos/ask"),
        ("/fictures-more", "/fictures", "/fictures/fictures-more"),
        ("/docs", "/fictures", "/docs"),
        ("/docs/start.js", "/fictures", "/docs/start.js"),
        ("/livez", "/fictures", "/livez"),
        ("/health", "", "/health"),
    ],
)
def test_a_path_at_an_old_port_is_one_under_its_base(path: str, base: str, under: str) -> None:
    assert rooted(path, base) == under


async def test_a_familys_own_health_stands_under_its_base_only(edge: Edge) -> None:
    edge.report = HubReport()
    statuses = {
        base: (await edge.http.get(f"{base}/health")).status_code
        for base in ("", "/robot-buddy", "/auraos", "/fictures", "/localai")
    }
    assert statuses == {
        "": 503,
        "/robot-buddy": 503,
        "/auraos": 200,
        "/fictures": 200,
        "/localai": 200,
    }
    bare = (await edge.http.get("/health")).json()
    assert (await edge.http.get("/robot-buddy/health")).json() == bare


async def test_robots_routes_answer_under_their_base_as_they_do_bare(edge: Edge) -> None:
    edge.jobs.plan_result = PlanDone(actions=({"action": "say", "text": "hello"},))
    answer = await edge.http.post("/robot-buddy/plan", json=WORLD)
    assert answer.json()["actions"] == [{"action": "say", "text": "hello"}]
    speech = await edge.http.post("/robot-buddy/tts", json={"text": "hello"})
    assert speech.content == b"\x01\x00" * 160
    async with connect(edge.ws("/robot-buddy/converse?robot_id=r1")) as socket:
        assert json.loads(await socket.recv()) == {"type": "listening"}


async def test_every_base_says_what_is_under_it(edge: Edge) -> None:
    for family in FAMILIES:
        answer = await edge.http.get(f"/{family}/")
        assert answer.status_code == 200, family
    auraos = (await edge.http.get("/auraos/")).json()
    assert auraos["http"] == ["/ask", "/generate", "/health", "/models"]
    assert auraos["websocket"] == ["/generate/stream"]
    assert "/plan" in (await edge.http.get("/robot-buddy/")).json()["http"]


async def test_a_route_stands_in_the_document_once(edge: Edge) -> None:
    paths = (await edge.http.get("/openapi.json")).json()["paths"]

    assert {"/plan", "/tts", "/eval/select_tool", "/auraos/ask", "/fictures/api/v1/models"} <= set(
        paths
    )
    assert not {"/robot-buddy/plan", "/ask", "/api/v1/models"} & set(paths)


async def test_an_old_port_needs_no_change_of_its_clients(edge: Edge) -> None:
    edge.report = HubReport(agents=(MIND,))
    edge.jobs.facts = [JobFact(ChatDelta(text="hi")), JobFact(ChatDone(model="llava:13b"))]
    async with (
        old_port(edge, "/fictures") as fictures,
        old_port(edge, "/auraos") as auraos,
        httpx.AsyncClient() as http,
    ):
        old = f"http://127.0.0.1:{fictures}"
        assert (await http.get(f"{old}/health")).json()["status"] == "healthy"
        assert (await http.get(f"{old}/")).json()["message"]
        text = await http.post(f"{old}/api/v1/text/generate", json={"prompt": "hi"})
        assert text.json()["text"] == "hi"
        assert (await http.get(f"{old}/docs")).status_code == 200
        assert (await http.get(f"{old}/livez")).json() == {"alive": True}
        assert (await http.get(f"{old}/nowhere")).json() == {"detail": "Not Found"}

        other = f"http://127.0.0.1:{auraos}"
        assert (await http.get(f"{other}/health")).json()["status"] == "ok"
        assert (await http.post(f"{other}/ask", json={"query": "hi"})).json()["response"] == "hi"
        async with connect(f"ws://127.0.0.1:{auraos}/generate/stream") as socket:
            await socket.send('{"prompt": "hi"}')
            assert json.loads(await socket.recv()) == {"type": "delta", "text": "hi"}
            assert json.loads(await socket.recv())["type"] == "done"


async def test_a_redirect_of_an_old_port_leads_somewhere(edge: Edge) -> None:
    async with (
        old_port(edge, "/auraos") as port,
        httpx.AsyncClient(follow_redirects=True) as http,
    ):
        answer = await http.get(f"http://127.0.0.1:{port}/health/")
        assert answer.status_code == 200
        assert answer.json()["backend"] == "none"


async def test_what_is_refused_before_any_route_has_the_shape_of_the_old_ports_family(
    edge: Edge,
) -> None:
    async with old_port(edge, "/auraos") as port, httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/health", headers={"X-Long": "a" * 60_000})
        assert answer.status_code == 431
        assert answer.json().keys() == {"status", "error"}
        large = await http.post(f"http://127.0.0.1:{port}/ask", content=bytes(40_000_000))
        assert (large.status_code, large.json()["status"]) == (413, "error")


async def test_an_old_port_demands_the_same_credentials(edge: Edge) -> None:
    watcher = tokens.create(edge.db, scope=tokens.Scope.OBSERVER)
    async with old_port(edge, "/auraos") as port, httpx.AsyncClient() as http:
        url = f"http://127.0.0.1:{port}"
        assert (await http.get(f"{url}/health")).status_code == 401
        bearer = {"Authorization": f"Bearer {watcher}"}
        assert (await http.get(f"{url}/health", headers=bearer)).status_code == 200
        answer = await http.post(f"{url}/ask", json={"query": "hi"}, headers=bearer)
        assert answer.status_code == 403
        foreign = await http.get(
            f"{url}/health", headers={"Origin": "https://evil.example", **bearer}
        )
        assert foreign.status_code == 403


async def test_a_path_is_rewritten_as_it_was_encoded() -> None:
    async def told(request: Request) -> JSONResponse:
        return JSONResponse([request.url.path, request.scope["raw_path"].decode()])

    app = Starlette(routes=[Route("/{rest:path}", told)])
    listener = bind("127.0.0.1", 0)
    stop, ready = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(app, listener, stop, ready.set, root="/auraos"))
        await ready.wait()
        async with httpx.AsyncClient() as http:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert (await http.get(f"{url}/a%20b")).json() == ["/auraos/a b", "/auraos/a%20b"]
        stop.set()
