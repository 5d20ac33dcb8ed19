"""``WS /generate/stream``: texts as they are written."""

import asyncio
import base64
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from hub.edge.services import HubReport
from hub.edge.wire import CLOSE_NOT_AUTHORISED, CLOSE_PROTOCOL_ERROR
from hub.errors import Busy, JobError
from hub.jobs.orders import JobFact
from hub.store import tokens
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatDelta, ChatDone
from tests.fakes.pictures import jpeg
from tests.hub.edge.auraos.test_routes import EYES, MIND, says
from tests.hub.edge.conftest import Edge, drained

PATHS = ("/generate/stream", "/auraos/generate/stream")


@pytest.fixture(autouse=True)
def agents(edge: Edge) -> None:
    edge.report = HubReport(agents=(EYES, MIND))


async def told(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        document: dict[str, Any] = json.loads(await socket.recv())
    return document


async def ask(socket: ClientConnection, **body: Any) -> None:
    await socket.send(json.dumps(body))


@pytest.mark.parametrize("path", PATHS)
async def test_a_text_comes_piece_by_piece_and_then_whole(edge: Edge, path: str) -> None:
    says(edge, "Once ", "upon a time", model="qwen3:14b")
    async with connect(edge.ws(path)) as socket:
        await ask(socket, prompt="tell me a story", max_tokens=32)
        assert await told(socket) == {"type": "delta", "text": "Once "}
        assert await told(socket) == {"type": "delta", "text": "upon a time"}
        assert await told(socket) == {
            "type": "done",
            "status": "success",
            "response": "Once upon a time",
            "backend": "ollama",
            "model": "qwen3:14b",
            "finish_reason": "stop",
            "tokens": 7,
        }
        await ask(socket, type="generate", prompt="another")
        assert (await told(socket))["type"] == "delta"


async def test_pictures_are_looked_at(edge: Edge) -> None:
    says(edge, "a wall")
    async with connect(edge.ws(PATHS[0])) as socket:
        await ask(socket, prompt="what is it?", images=[base64.b64encode(jpeg()).decode()])
        await told(socket)
        assert (await told(socket))["type"] == "done"
    assert edge.jobs.wanted[-1].agent is AgentKind.VISION


async def test_a_cancel_ends_the_text_down_to_the_engine(edge: Edge) -> None:
    edge.jobs.facts = [JobFact(ChatDelta(text="one")), None]
    async with connect(edge.ws(PATHS[0])) as socket:
        await ask(socket, prompt="go on for ever")
        await told(socket)
        await ask(socket, prompt="and this")
        assert (await told(socket))["code"] == "busy"
        await ask(socket, type="cancel")
        assert await told(socket) == {"type": "cancelled"}
        assert edge.jobs.cancelled.is_set()
        says(edge, "again")
        await ask(socket, prompt="something else")
        assert (await told(socket))["text"] == "again"


async def test_a_client_that_goes_away_ends_its_text(edge: Edge) -> None:
    edge.jobs.facts = [JobFact(ChatDelta(text="one")), None]
    async with connect(edge.ws(PATHS[0])) as socket:
        await ask(socket, prompt="go on for ever")
        await told(socket)
    async with asyncio.timeout(5):
        await edge.jobs.cancelled.wait()


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (JobError("broken", "llm_error"), "llm_error", "broken"),
        (Busy("much to do", retry_after_s=9), "busy", "much to do"),
    ],
)
async def test_a_failure_is_an_event_with_a_code(
    edge: Edge, error: JobError, code: str, sentence: str
) -> None:
    edge.jobs.facts = [error]
    async with connect(edge.ws(PATHS[0])) as socket:
        await ask(socket, prompt="hi")
        body = await told(socket)
    assert (body["type"], body["status"], body["code"]) == ("error", "error", code)
    assert body["error"] == sentence
    assert body.get("retry_after_s") == (9 if code == "busy" else None)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("no json", "no JSON"),
        ("[1]", "object"),
        (b"\x00", "JSON text"),
        ('{"type": "shout"}', "generate or cancel"),
        ('{"prompt": ""}', "prompt"),
        ('{"prompt": "a", "max_tokens": 100000}', "max_tokens"),
        ('{"prompt": "a", "images": ["aGVsbG8="]}', "PNG, JPEG"),
    ],
)
async def test_a_wrong_frame_is_answered_and_the_connection_goes_on(
    edge: Edge, frame: str | bytes, reason: str
) -> None:
    async with connect(edge.ws(PATHS[0])) as socket:
        await socket.send(frame)
        assert reason in (await told(socket))["error"]
        says(edge, "ok")
        await ask(socket, prompt="hi")
        assert (await told(socket))["text"] == "ok"


async def test_whoever_sends_nothing_but_faults_is_sent_away(edge: Edge) -> None:
    async with connect(edge.ws(PATHS[0])) as socket:
        for _ in range(20):
            await socket.send("no json")
        code, _, frames = await drained(socket)
    assert (code, len(frames)) == (CLOSE_PROTOCOL_ERROR, 20)


async def test_a_draining_hub_begins_nothing(edge: Edge) -> None:
    edge.report = HubReport(agents=(MIND,), draining=True)
    async with connect(edge.ws(PATHS[0])) as socket:
        await ask(socket, prompt="hi")
        assert (await told(socket))["code"] == "draining"


async def test_it_is_for_whoever_may_give_models_work(edge: Edge) -> None:
    watcher = tokens.create(edge.db, scope=tokens.Scope.OBSERVER)
    program = tokens.create(edge.db, scope=tokens.Scope.CLIENT)
    for token, code in (("", CLOSE_NOT_AUTHORISED), (watcher, CLOSE_NOT_AUTHORISED)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with connect(edge.ws(PATHS[1]), additional_headers=headers) as socket:
            assert (await drained(socket))[0] == code
    says(edge, "welcome")
    bearer = {"Authorization": f"Bearer {program}"}
    async with connect(edge.ws(PATHS[1]), additional_headers=bearer) as socket:
        await ask(socket, prompt="hi")
        assert (await told(socket))["text"] == "welcome"
        await told(socket)
    assert edge.jobs.wanted[-1].caller.client
    edge.jobs.facts = [JobFact(ChatDone())]
