"""The official client over streamable HTTP, in both generations of the protocol."""

import asyncio
import base64
import json

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from hub.errors import Busy, JobError
from hub.jobs.job import JobClass, Rank
from hub.jobs.orders import JobFact
from hub.store import tokens
from hub.store.tokens import ANY_ROBOT, Scope
from protocols.codecs.jpeg import jpeg_size
from protocols.messages.agent import AgentKind
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone
from protocols.messages.image import ImageDone, ImageProgress
from tests.hub.edge.mcp.conftest import LEGACY, MODERN, Tools
from tests.hub.edge.mcp.test_smaller import png

ALL = {
    "txt2txt", "txt2img", "img2img", "img2txt", "say", "emote", "gesture", "get_state", "look",
    "recent_events", "get_memory", "set_reminder", "get_reminders", "cancel_reminder", "get_error_metrics", "get_request_metrics",
}  # fmt: skip
BOTH = pytest.mark.parametrize("mode", [LEGACY, MODERN])
CHAT = [{"role": "user", "content": "hello"}]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def painted(data: bytes = PNG, steps: int = 3) -> list[JobFact | JobError | None]:
    ref = BlobRef(index=0, size_bytes=len(data), media_type="image/png")
    done = ImageDone(images=(ref,), seeds=(7,), width=256, height=256, model="flux")
    told = [JobFact(ImageProgress(image=0, step=n, steps=steps)) for n in range(1, steps + 1)]
    return [*told, JobFact(done, (data,))]


@BOTH
async def test_the_tools_are_listed_with_their_documented_arguments(
    tools: Tools, mode: str
) -> None:
    async with tools.client(mode=mode) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(listed) == ALL
    txt2img = listed["txt2img"].input_schema["properties"]
    assert [*txt2img] == ["model", "prompt", "height", "width"]
    assert (txt2img["height"]["default"], txt2img["width"]["default"]) == (256, 256)
    assert listed["txt2txt"].input_schema["properties"]["temperature"]["default"] == 0.7
    assert listed["img2txt"].input_schema["properties"]["temperature"]["default"] == 0.9
    assert listed["img2img"].input_schema["properties"]["height"]["default"] == 512
    assert listed["look"].annotations.read_only_hint
    assert not listed["say"].annotations.read_only_hint


@BOTH
async def test_a_chat_is_gone_on_with_and_its_progress_told(tools: Tools, mode: str) -> None:
    tools.jobs.facts = [
        JobFact(ChatDelta(text="Hello ")),
        JobFact(ChatDelta(text="there.")),
        JobFact(ChatDone(model="qwen3", prompt_tokens=3, completion_tokens=2)),
    ]
    progress: list[float] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    arguments = {"model": "Qwen2.5-32B-Instruct", "messages": CHAT, "temperature": 0}
    async with tools.client(mode=mode) as client:
        result = await client.call_tool("txt2txt", arguments, progress_callback=note)
    assert not result.is_error
    assert result.content[0].text == "Hello there."
    assert result.structured_content["model"] == "qwen3"
    assert result.structured_content["usage"] == {"prompt_tokens": 3, "completion_tokens": 2}
    assert progress == [1]
    (order,) = tools.jobs.wanted
    assert (order.agent, order.model, order.request.temperature) == (AgentKind.PLANNER, "", 0)
    assert order.caller.job_class is JobClass.INTERACTIVE


@BOTH
async def test_a_picture_is_made_and_each_step_told(tools: Tools, mode: str) -> None:
    tools.jobs.facts = painted()
    steps: list[tuple[float, float | None]] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        steps.append((done, total))

    async with tools.client(mode=mode) as client:
        result = await client.call_tool(
            "txt2img", {"model": "Flux-Dev", "prompt": "a cat"}, progress_callback=note
        )
    picture, text = result.content
    assert base64.b64decode(picture.data) == PNG
    assert picture.mime_type == "image/png"
    assert json.loads(text.text) == {"model": "flux", "width": 256, "height": 256, "seed": 7}
    assert steps == [(1, 3), (2, 3), (3, 3)]
    (order,) = tools.jobs.wanted
    assert (order.request.width, order.request.height) == (256, 256)
    assert (order.caller.job_class, order.caller.rank) == (JobClass.IMAGE, Rank.TXT2IMG)


@BOTH
async def test_a_large_picture_comes_in_whole_and_goes_out_as_one_that_the_client_takes(
    tools: Tools, mode: str
) -> None:
    large = png(1024, 255)
    tools.jobs.facts = painted(large)
    uri = f"data:image/png;base64,{base64.b64encode(large).decode()}"
    arguments = {"model": "", "file": uri, "prompt": "a dog"}
    async with tools.client(mode=mode) as client:
        result = await client.call_tool("img2img", arguments)
    picture = result.content[0]
    assert picture.mime_type == "image/jpeg"
    assert jpeg_size(base64.b64decode(picture.data)) == (1024, 1024)
    (order,) = tools.jobs.wanted
    assert order.blobs == (large,)
    assert order.request.source.size_bytes == len(large)
    assert (order.request.width, order.caller.rank) == (512, Rank.IMG2IMG)


async def test_a_model_that_sees_is_shown_what_came(tools: Tools) -> None:
    tools.jobs.facts = [JobFact(ChatDelta(text="A dot.")), JobFact(ChatDone())]
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    part = {"type": "image_url", "image_url": {"url": url}}
    said = {"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}
    async with tools.client() as client:
        result = await client.call_tool("img2txt", {"model": "", "messages": [said]})
    assert result.content[0].text == "A dot."
    (order,) = tools.jobs.wanted
    assert (order.agent, order.blobs) == (AgentKind.VISION, (PNG,))
    assert order.caller.rank == Rank.IMG2TXT


BAD: list[tuple[str, dict[str, object], str]] = [
    ("txt2txt", {"model": "", "messages": []}, "messages"),
    ("txt2txt", {"model": "", "messages": [{"role": "god", "content": "x"}]}, "role"),
    ("txt2txt", {"model": "", "messages": CHAT, "temperature": 3}, "temperature"),
    ("txt2txt", {"model": "", "messages": CHAT, "top_k": 3}, "top_k"),
    ("txt2txt", {"messages": CHAT}, "model"),
    ("txt2img", {"model": "", "prompt": "x", "width": 4096}, "width"),
    ("txt2img", {"model": "", "prompt": "x", "height": 257}, "height"),
    ("txt2img", {"model": "", "prompt": ""}, "prompt"),
    ("img2img", {"model": "", "file": "/etc/passwd", "prompt": "x"}, "base64"),
    ("img2img", {"model": "", "file": "http://localhost/x.png", "prompt": "x"}, "base64"),
    ("img2txt", {"model": "", "messages": CHAT}, "picture"),
    (
        "img2txt",
        {"model": "", "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "http://localhost/x.png"}}]}]},
        "data: URI",
    ),
    ("say", {"text": "hello"}, "robot_id"),
    ("recent_events", {"n": 51}, "n"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "told"), BAD)
async def test_arguments_that_a_tool_does_not_take_are_an_answer_that_says_so(
    tools: Tools, name: str, arguments: dict[str, object], told: str
) -> None:
    async with tools.client() as client:
        result = await client.call_tool(name, arguments)
    assert result.is_error
    assert told in result.content[0].text
    assert tools.jobs.wanted == []


@BOTH
async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(
    tools: Tools, mode: str
) -> None:
    async with tools.client(mode=mode) as client:
        with pytest.raises(MCPError, match="no tool"):
            await client.call_tool("rm_rf", {})


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Busy("more of its class wait than may"), "busy: more of its class"),
        (JobError("there is no model x", "no_such_model"), "no_such_model: there is no model x"),
    ],
)
async def test_a_job_that_fails_is_an_answer_with_its_code(
    tools: Tools, error: JobError, told: str
) -> None:
    tools.jobs.facts = [JobFact(ChatDelta(text="He")), error]
    async with tools.client() as client:
        result = await client.call_tool("txt2txt", {"model": "x", "messages": CHAT})
    assert result.is_error
    assert told in result.content[0].text


@BOTH
async def test_a_call_that_is_cancelled_cancels_its_job(tools: Tools, mode: str) -> None:
    tools.jobs.facts = [JobFact(ImageProgress(image=0, step=1, steps=9)), None]
    begun = asyncio.Event()

    async def note(done: float, total: float | None, message: str | None) -> None:
        begun.set()

    async with tools.client(mode=mode) as client, anyio.create_task_group() as calls:
        arguments = {"model": "", "prompt": "x"}
        calls.start_soon(lambda: client.call_tool("txt2img", arguments, progress_callback=note))
        async with asyncio.timeout(5):
            await begun.wait()
            calls.cancel_scope.cancel()
    async with asyncio.timeout(5):
        await tools.jobs.cancelled.wait()


async def test_each_scope_has_its_tools(tools: Tools) -> None:
    async def listed(token: str) -> set[str]:
        async with tools.client(token) as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    models = {"txt2txt", "txt2img", "img2img", "img2txt"}
    metrics = {"get_error_metrics", "get_request_metrics"}
    assert await listed(tokens.create(tools.db, scope=Scope.ADMIN)) == ALL
    assert await listed(tokens.create(tools.db, scope=Scope.CLIENT)) == ALL
    assert await listed(tokens.create(tools.db, "r1", scope=Scope.ROBOT)) == ALL - models - metrics
    watcher = tokens.create(tools.db, ANY_ROBOT, scope=Scope.OBSERVER)
    assert await listed(watcher) == metrics | {"recent_events"}
    async with tools.client(watcher) as client:
        for name, arguments in (("say", {"text": "x"}), ("txt2img", {"model": "", "prompt": "x"})):
            result = await client.call_tool(name, arguments)
            assert result.is_error
            assert "not_authorised" in result.content[0].text
    assert tools.sessions.said == tools.jobs.wanted == []
