"""``robot-hub mcp``, a real process between the SDK's client and a hub's edge."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from hub.jobs.orders import JobFact
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.messages.chat import ChatDelta, ChatDone
from protocols.messages.image import ImageProgress
from tests.fakes.views import a_view
from tests.hub.edge.mcp.conftest import LEGACY, MODERN, Tools
from tests.hub.edge.mcp.test_sdk_client import ALL, BOTH, CHAT

pytestmark = pytest.mark.e2e


@asynccontextmanager
async def bridged(tools: Tools, token: str = "", mode: str = MODERN) -> AsyncIterator[Client]:
    """A client of the bridge's stdin and stdout; the token is in its environment."""
    process = StdioServerParameters(
        command=sys.executable,
        args=["-m", "hub.cli", "mcp", "--hub", tools.url.removesuffix("/mcp")],
        env={"HUB_TOKEN": token} if token else None,
    )
    async with Client(process, mode=mode) as client:
        yield client


@BOTH
async def test_the_hubs_tools_are_offered_over_stdin_and_stdout(tools: Tools, mode: str) -> None:
    tools.jobs.facts = [JobFact(ChatDelta(text="Hi.")), JobFact(ChatDone(model="qwen3"))]
    progress: list[float] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async with bridged(tools, mode=mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == ALL
        arguments = {"model": "", "messages": CHAT}
        result = await client.call_tool("txt2txt", arguments, progress_callback=note)
        assert result.content[0].text == "Hi."
        assert progress == [1]
        failed = await client.call_tool("txt2txt", {"model": "", "messages": []})
        assert failed.is_error


async def test_the_bridge_is_who_its_token_says(tools: Tools) -> None:
    tools.views.put(a_view("r1"))
    token = tokens.create(tools.db, "r1", scope=Scope.ROBOT)
    async with bridged(tools, token) as client:
        assert "txt2txt" not in {tool.name for tool in (await client.list_tools()).tools}
        state = await client.call_tool("get_state", {})
        assert state.structured_content["robot_id"] == "r1"


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_what_the_program_cancels_is_cancelled_in_the_hub(tools: Tools, mode: str) -> None:
    tools.jobs.facts = [JobFact(ImageProgress(image=0, step=1, steps=9)), None]
    begun = asyncio.Event()

    async def note(done: float, total: float | None, message: str | None) -> None:
        begun.set()

    async with bridged(tools, mode=mode) as client, anyio.create_task_group() as calls:
        arguments = {"model": "", "prompt": "x"}
        calls.start_soon(lambda: client.call_tool("txt2img", arguments, progress_callback=note))
        async with asyncio.timeout(20):
            await begun.wait()
            calls.cancel_scope.cancel()
    async with asyncio.timeout(5):
        await tools.jobs.cancelled.wait()


def test_without_a_hub_the_bridge_says_so_in_one_sentence() -> None:
    command = [sys.executable, "-m", "hub.cli", "mcp", "--hub", "http://127.0.0.1:9"]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("robot-hub: no hub answers at http://127.0.0.1:9")
    assert done.stdout == ""


async def test_without_a_token_the_bridge_says_that_one_is_needed(tools: Tools) -> None:
    tokens.create(tools.db)
    command = [sys.executable, "-m", "hub.cli", "mcp", "--hub", tools.url.removesuffix("/mcp")]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 2
    assert b"set HUB_TOKEN" in told
