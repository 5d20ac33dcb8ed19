"""Ollama's own protocol against a server of it that misbehaves in every known way."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from agents.engines.language.base import ChatMessage, Ending, Picture, Prompt
from agents.engines.language.ollama import OllamaModel, Server
from agents.planner.agent import Conversation
from agents.planner.model_planner import ModelPlanner
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.progress import reporting_to
from protocols.messages.agent import AgentProgress
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta
from tests.agents.planner.turns import turn, world
from tests.fakes.ollama_server import Behaviour, OllamaServer
from tests.fakes.openai_server import GOOD_ANSWER
from tests.fakes.two_lists import ListInbox, Outbox, served


@asynccontextmanager
async def model_of(server: OllamaServer, **fields: Any) -> AsyncIterator[OllamaModel]:
    model = OllamaModel(Server(server.url, **({"model": "tiny"} | fields)))
    try:
        yield model
    finally:
        await model.close()


async def failure(server: OllamaServer) -> tuple[str, list[str]]:
    """The code a turn fails with, and the text it sent before."""
    async with model_of(server) as model:
        service = Conversation(ModelPlanner(model))
        outbox = Outbox(service)
        with pytest.raises(AgentError) as raised:
            await service.serve(ListInbox(turn("hi")), outbox)
    return raised.value.code, [m.text for m in outbox.messages if isinstance(m, ResponseDelta)]


async def test_an_answer_is_streamed_piece_by_piece() -> None:
    async with OllamaServer() as server, model_of(server, answer_keep_alive="5m") as model:
        messages = await served(Conversation(ModelPlanner(model)), turn("hi", temperature=0.0))
    assert messages == [
        ResponseMeta(emotion="happy", intensity=0.7, mood_reason="met", gestures=("nod",)),
        ResponseDelta(text="Hello "),
        ResponseDelta(text="there, "),
        ResponseDelta(text="friend."),
        ResponseDone(tokens=4),
    ]
    (asked,) = server.requests
    assert asked["model"] == "tiny"
    assert asked["stream"] is True
    assert asked["think"] is False
    assert asked["keep_alive"] == "5m"
    assert asked["options"] == {"temperature": 0.0, "num_predict": 512, "num_ctx": 4096}
    assert list(asked["format"]["properties"])[-1] == "text"


async def test_a_plan_is_read_to_its_end_and_keeps_the_model_for_its_own_time() -> None:
    async with (
        OllamaServer() as server,
        model_of(server, answer_keep_alive="5m", plan_keep_alive="-1") as model,
    ):
        text = await ModelPlanner(model).plan(world(trigger="ball_seen"), 5)
    assert '"happy"' in text
    assert server.requests[0]["keep_alive"] == -1


async def test_how_a_text_is_drawn_and_counted_is_asked_of_the_server() -> None:
    line = (
        b'{"message": {"content": "hi"}, "done": true, "done_reason": "length",'
        b' "prompt_eval_count": 5, "eval_count": 2}\n'
    )
    endings: list[Ending] = []
    asking = Prompt([ChatMessage("user", "hi")])
    drawn = asking._replace(top_p=0.5, stop=("END",), seed=7, ended=endings.append)
    async with (
        OllamaServer(Behaviour(raw=line)) as server,
        model_of(server) as model,
        aclosing(model.write(drawn)) as pieces,
    ):
        assert [piece async for piece in pieces] == ["hi"]
    options = server.requests[0]["options"]
    assert (options["top_p"], options["stop"], options["seed"]) == (0.5, ["END"], 7)
    assert endings == [Ending("length", 5, 2)]


async def test_the_first_model_of_a_family_is_taken_where_none_is_named() -> None:
    listed = ("qwen3:14b", "llava:13b", "llava:7b")
    async with OllamaServer(models=listed) as server:
        async with model_of(server, model="", family="llava") as model:
            await model.start()
            assert model.model == "llava:13b"
        async with model_of(server, model="", family="moondream") as model:
            with pytest.raises(BackendUnavailable, match="begins with 'moondream'"):
                await model.start()


async def test_a_picture_reaches_the_model() -> None:
    seen = ChatMessage("user", "what is this", (Picture("image/png", b"\x89PNG"),))
    prompt = Prompt([ChatMessage("system", "x"), seen])
    async with (
        OllamaServer() as server,
        model_of(server) as model,
        aclosing(model.write(prompt)) as pieces,
    ):
        assert [piece async for piece in pieces] == list(GOOD_ANSWER)
    first, second = server.requests[0]["messages"]
    assert "images" not in first
    assert [base64.b64decode(image) for image in second["images"]] == [b"\x89PNG"]


@pytest.mark.parametrize("named", ["tiny", "tiny:latest"])
async def test_a_model_that_is_there_is_not_pulled(named: str) -> None:
    async with OllamaServer() as server, model_of(server, model=named) as model:
        await model.start()
    assert server.pulls == []


async def test_a_missing_model_is_pulled_with_its_progress_in_bytes() -> None:
    told: list[AgentProgress] = []
    async with OllamaServer(models=()) as server, model_of(server, model="qwen3:14b") as model:
        with reporting_to(told.append):
            await model.start()
    assert server.pulls == [{"model": "qwen3:14b", "stream": True}]
    assert [(p.done, p.total) for p in told] == [(0, 0), (150, 300), (300, 300)]
    assert {(p.step, p.unit) for p in told} == {("pulling qwen3:14b", "bytes")}


async def test_a_missing_model_is_named_where_it_may_not_be_pulled() -> None:
    async with OllamaServer(models=()) as server, model_of(server, auto_pull=False) as model:
        with pytest.raises(BackendUnavailable, match=r"does not have the model tiny.*ollama pull"):
            await model.start()
    assert server.pulls == []


@pytest.mark.parametrize(
    ("pull", "sentence"),
    [
        (({"error": "pull model manifest: file does not exist"},), "file does not exist"),
        (({"status": "pulling manifest"},), "ended before it was done"),
    ],
)
async def test_a_pull_that_fails_says_why(pull: tuple[dict[str, str]], sentence: str) -> None:
    async with OllamaServer(models=(), pull=pull) as server, model_of(server) as model:
        with pytest.raises(BackendUnavailable, match=sentence):
            await model.start()


async def test_a_pull_has_its_time_limit() -> None:
    async with OllamaServer(models=()) as server, model_of(server, pull_timeout_s=0.0) as model:
        with pytest.raises(BackendUnavailable, match="in time"):
            await model.start()


@pytest.mark.parametrize("tags", [(500, b"oh"), (200, b"<html>"), (200, b'{"models": 5}')])
async def test_a_server_that_is_no_ollama_is_unavailable(tags: tuple[int, bytes]) -> None:
    async with OllamaServer(tags=tags) as server, model_of(server) as model:
        with pytest.raises(BackendUnavailable, match=r"http://127\.0\.0\.1"):
            await model.start()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with OllamaServer() as server:
        pass
    assert await failure(server) == ("backend_unavailable", [])
    async with model_of(server) as model:
        with pytest.raises(BackendUnavailable, match="cannot be reached"):
            await model.start()


async def test_a_refused_format_is_replaced_and_the_refusal_remembered() -> None:
    refusing = Behaviour(refuses=("schema", "json"))
    async with OllamaServer(refusing) as server, model_of(server) as model:
        for _ in range(2):
            await served(Conversation(ModelPlanner(model)), turn("hi"))
    formats = [asked.get("format") for asked in server.requests]
    assert isinstance(formats[0], dict)
    assert formats[1:] == ["json", None, None]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "llm_error"),
        (404, "backend_unavailable"),
        (429, "backend_busy"),
        (500, "llm_error"),
        (503, "backend_busy"),
    ],
)
async def test_each_refusal_has_its_code(status: int, code: str) -> None:
    async with OllamaServer(Behaviour(status=status)) as server:
        assert await failure(server) == (code, [])


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (Behaviour(dies_after=2), "backend_unavailable"),
        (Behaviour(ends_after=2), "backend_unavailable"),
        (Behaviour(fails_after=2), "llm_error"),
    ],
    ids=["killed", "half a stream", "error line"],
)
async def test_a_failure_in_mid_answer_fails_the_turn_after_what_was_said(
    how: Behaviour, code: str
) -> None:
    async with OllamaServer(how) as server:
        assert await failure(server) == (code, ["Hello "])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{not json\n", "llm_error"),
        (b'{"message": 5}\n', "llm_error"),
        (b'{"error": "out of memory"}', "llm_error"),
        (b"x" * 400_000, "llm_error"),
        (b'{"message": {"content": ""}, "done": true}\n', "llm_nonsense"),
        (b"", "backend_unavailable"),
    ],
    ids=["broken", "mistyped", "error", "endless", "nothing", "empty"],
)
async def test_a_stream_that_is_none_fails_the_turn(raw: bytes, code: str) -> None:
    async with OllamaServer(Behaviour(raw=raw)) as server:
        assert await failure(server) == (code, [])


async def test_a_plan_that_takes_too_long_is_a_timeout() -> None:
    async with (
        OllamaServer(Behaviour(hangs_after=0)) as server,
        model_of(server, plan_timeout_s=0.1) as model,
    ):
        with pytest.raises(AgentError) as raised:
            await ModelPlanner(model).plan(world(trigger="ball_seen"), 5)
    assert raised.value.code == "backend_timeout"


async def test_a_cancelled_turn_closes_its_connection_and_the_next_one_works() -> None:
    async with (
        OllamaServer(Behaviour(hangs_after=2), Behaviour()) as server,
        model_of(server) as model,
    ):
        service = Conversation(ModelPlanner(model))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(service.serve(ListInbox(turn("hi")), Outbox(service)))
            await server.hung.wait()
            task.cancel()
        async with asyncio.timeout(5):
            await server.left.wait()
        assert len(await served(service, turn("hi"))) == 5
