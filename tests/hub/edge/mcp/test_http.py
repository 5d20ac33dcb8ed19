"""The endpoint as HTTP: requests that stand alone, sessions, and who is turned away."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from hub.jobs.orders import JobFact
from hub.store import tokens
from protocols.messages.chat import ChatDelta, ChatDone
from tests.fakes.views import a_view
from tests.hub.edge.mcp.conftest import Tools

JSON = {"Accept": "application/json"}
EITHER = {"Accept": "application/json, text/event-stream"}
CHAT = {"model": "", "messages": [{"role": "user", "content": "hello"}]}
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def rpc(method: str, params: dict[str, Any] | None = None, number: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}


def calling(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return rpc("tools/call", {"name": name, "arguments": arguments})


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/localai/mcp"])
@pytest.mark.parametrize("headers", [JSON, EITHER])
async def test_a_request_stands_alone_and_is_answered_as_json(
    tools: Tools, path: str, headers: dict[str, str]
) -> None:
    tools.jobs.facts = [JobFact(ChatDelta(text="Hi.")), JobFact(ChatDone())]
    async with tools.http() as http:
        listed = await http.post(path, json=rpc("tools/list"), headers=headers)
        called = await http.post(path, json=calling("txt2txt", CHAT), headers=headers)
    assert listed.headers["content-type"] == called.headers["content-type"] == "application/json"
    assert len(listed.json()["result"]["tools"]) == 16
    assert called.json()["result"]["content"][0]["text"] == "Hi."
    assert "mcp-session-id" not in called.headers


@pytest.mark.parametrize("headers", [JSON, EITHER])
async def test_a_client_that_goes_away_takes_its_job_along(
    tools: Tools, headers: dict[str, str]
) -> None:
    tools.jobs.facts = [None]
    async with tools.http() as http:
        call = http.post("/mcp", json=calling("txt2txt", CHAT), headers=headers, timeout=0.5)
        with pytest.raises(httpx.ReadTimeout):
            await call
        async with asyncio.timeout(5):
            await tools.jobs.cancelled.wait()


async def test_a_client_of_a_session_that_goes_away_takes_its_job_along(tools: Tools) -> None:
    tools.jobs.facts = [None]
    async with tools.http() as http:
        began = await http.post("/mcp", json=rpc("initialize", HELLO), headers=EITHER)
        headers = EITHER | {"Mcp-Session-Id": began.headers["mcp-session-id"]}
        call = http.stream("POST", "/mcp", json=calling("txt2txt", CHAT), headers=headers)
        async with call as answer:
            assert answer.status_code == 200
            async with asyncio.timeout(5):
                await tools.jobs.begun.wait()
        async with asyncio.timeout(5):
            await tools.jobs.cancelled.wait()


async def test_a_session_is_its_makers_alone(tools: Tools) -> None:
    one, other = tokens.create(tools.db), tokens.create(tools.db)
    async with tools.http() as http:
        headers = EITHER | {"Authorization": f"Bearer {one}"}
        began = await http.post("/mcp", json=rpc("initialize", HELLO), headers=headers)
        session = {"Mcp-Session-Id": began.headers["mcp-session-id"]}
        mine = await http.post("/mcp", json=rpc("ping"), headers=headers | session)
        assert mine.status_code == 200
        headers["Authorization"] = f"Bearer {other}"
        foreign = await http.post("/mcp", json=rpc("ping"), headers=headers | session)
        assert foreign.status_code == 404


async def test_whoever_may_not_come_in_is_told_at_the_door(tools: Tools) -> None:
    async with tools.http() as http:
        listing = rpc("tools/list")
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            answer = await http.post("/mcp", json=listing, headers=JSON | headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
        tokens.create(tools.db)
        answer = await http.post("/mcp", json=listing, headers=JSON)
        assert (answer.status_code, answer.json()["error"]) == (401, "not_authorised")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"", 400),
        (b"[" * 100, 400),
        (json.dumps(rpc("tools/call", {"name": 7})).encode(), 200),
        (json.dumps({"jsonrpc": "2.0", "id": 1, "method": 5}).encode(), 400),
    ],
)
async def test_what_is_no_message_is_refused_and_breaks_nothing(
    tools: Tools, body: bytes, status: int
) -> None:
    async with tools.http() as http:
        headers = JSON | {"Content-Type": "application/json"}
        answer = await http.post("/mcp", content=body, headers=headers)
        assert answer.status_code == status, answer.text
        assert "error" in answer.json()
        listed = await http.post("/mcp", json=rpc("tools/list"), headers=JSON)
        assert listed.status_code == 200


async def test_much_that_is_no_long_text_is_refused(tools: Tools) -> None:
    message = {"role": "user", "content": "x" * 16_000}
    arguments = {"model": "", "messages": [message] * 80}
    async with tools.http() as http:
        answer = await http.post("/mcp", json=calling("txt2txt", arguments), headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_a_door_that_is_not_open_says_so(tools: Tools) -> None:
    await tools.close()
    async with tools.http() as http:
        answer = await http.post("/mcp", json=rpc("tools/list"), headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (503, "not_ready")


async def test_who_comes_first_waits_until_no_robot_is_in_a_turn(tools: Tools) -> None:
    tools.views.put(a_view("r1", turn=3))
    async with tools.http() as http, asyncio.TaskGroup() as tasks:
        listing = tasks.create_task(http.post("/mcp", json=rpc("tools/list"), headers=JSON))
        done, _ = await asyncio.wait([listing], timeout=0.3)
        assert not done
        tools.views.put(a_view("r1"))
        assert (await listing).status_code == 200


async def test_a_hub_that_ends_lets_go_of_whoever_listens(tools: Tools) -> None:
    async with tools.http() as http:
        began = await http.post("/mcp", json=rpc("initialize", HELLO), headers=EITHER)
        headers = {
            "Accept": "text/event-stream",
            "Mcp-Session-Id": began.headers["mcp-session-id"],
        }
        async with http.stream("GET", "/mcp", headers=headers) as answer, asyncio.timeout(5):
            assert answer.status_code == 200
            await tools.close()
            async for _ in answer.aiter_bytes():
                pass


def test_a_hub_that_nobody_asks_for_tools_does_not_import_the_sdk() -> None:
    code = "import sys, hub.app; sys.exit(any(m.split('.')[0] == 'mcp' for m in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)
