import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from agents.engines.language.base import ChatMessage, Ending, Picture, Prompt
from agents.engines.language.openai import OpenAiModel, Server
from agents.planner.agent import Conversation
from agents.planner.model_planner import ModelPlanner
from agents.runtime.errors import AgentError, BackendUnavailable
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta
from tests.agents.planner.turns import turn, world
from tests.fakes.openai_server import GOOD_ANSWER, Behaviour, OpenAiServer
from tests.fakes.two_lists import ListInbox, Outbox, served


@asynccontextmanager
async def planner_of(
    server: OpenAiServer, model: str = "tiny", timeout_s: float = 5.0
) -> AsyncIterator[ModelPlanner]:
    planner = ModelPlanner(OpenAiModel(Server(server.base_url, model, "secret", timeout_s)))
    try:
        yield planner
    finally:
        await planner.close()


async def failure(server: OpenAiServer, timeout_s: float = 5.0) -> tuple[str, list[str]]:
    """The code a turn fails with, and the text it sent before."""
    async with planner_of(server, timeout_s=timeout_s) as planner:
        service = Conversation(planner)
        outbox = Outbox(service)
        with pytest.raises(AgentError) as raised:
            await service.serve(ListInbox(turn("hi")), outbox)
    return raised.value.code, [m.text for m in outbox.messages if isinstance(m, ResponseDelta)]


async def test_an_answer_is_streamed_piece_by_piece() -> None:
    async with OpenAiServer() as server, planner_of(server) as planner:
        messages = await served(Conversation(planner), turn("hi", temperature=0.0))
    assert messages == [
        ResponseMeta(emotion="happy", intensity=0.7, mood_reason="met", gestures=("nod",)),
        ResponseDelta(text="Hello "),
        ResponseDelta(text="there, "),
        ResponseDelta(text="friend."),
        ResponseDone(tokens=4),
    ]
    (asked,) = server.requests
    assert asked["model"] == "tiny"
    assert asked["temperature"] == 0.0
    assert asked["response_format"]["type"] == "json_schema"
    assert "Bearer secret" in server.headers[0]


async def test_the_first_listed_model_is_taken_where_none_is_named() -> None:
    async with OpenAiServer(models=("big", "small")) as server, planner_of(server, "") as planner:
        await planner.start()
        await served(Conversation(planner), turn("hi"))
    assert [asked["model"] for asked in server.requests] == ["big", "big"]


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_a_refused_format_is_replaced_and_the_refusal_remembered(status: int) -> None:
    refusing = Behaviour(refuses=("json_schema", "json_object"), refusal_status=status)
    async with OpenAiServer(refusing) as server, planner_of(server) as planner:
        await served(Conversation(planner), turn("hi"))
        await served(Conversation(planner), turn("hi"))
    formats = [asked.get("response_format", {}).get("type") for asked in server.requests]
    assert formats == ["json_schema", "json_object", None, None]


async def test_a_format_that_was_taken_once_is_not_given_up_for_an_error() -> None:
    async with (
        OpenAiServer(Behaviour(), Behaviour(status=500), Behaviour()) as server,
        planner_of(server) as planner,
    ):
        await served(Conversation(planner), turn("hi"))
        with pytest.raises(AgentError):
            await served(Conversation(planner), turn("hi"))
        await served(Conversation(planner), turn("hi"))
    formats = [asked["response_format"]["type"] for asked in server.requests]
    assert formats == ["json_schema"] * 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "backend_busy"),
        (500, "llm_error"),
        (401, "backend_unavailable"),
        (503, "backend_unavailable"),
        (404, "llm_error"),
    ],
)
async def test_each_refusal_has_its_code(status: int, code: str) -> None:
    async with OpenAiServer(Behaviour(status=status)) as server:
        assert await failure(server) == (code, [])


async def test_a_server_killed_in_mid_answer_fails_the_turn_after_what_it_said() -> None:
    async with OpenAiServer(Behaviour(dies_after=2)) as server:
        assert await failure(server) == ("backend_unavailable", ["Hello "])


async def test_half_an_answer_keeps_its_words() -> None:
    half = Behaviour(pieces=GOOD_ANSWER[:2])
    async with OpenAiServer(half) as server, planner_of(server) as planner:
        *_, last = await served(Conversation(planner), turn("hi"))
    assert last == ResponseDone(finish_reason="length", tokens=2)


async def test_a_slow_first_token_is_a_timeout() -> None:
    async with OpenAiServer(Behaviour(hangs_after=0)) as server:
        assert await failure(server, timeout_s=0.1) == ("backend_timeout", [])


async def test_a_server_that_falls_silent_is_a_timeout() -> None:
    async with OpenAiServer(Behaviour(hangs_after=2)) as server:
        assert await failure(server, timeout_s=0.2) == ("backend_timeout", ["Hello "])


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with OpenAiServer() as server:
        pass
    assert await failure(server) == ("backend_unavailable", [])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"data: {not json\n\n", "llm_error"),
        (b'data: {"choices": 5}\n\n', "llm_error"),
        (b'data: {"error": {"message": "out of memory"}}\n\n', "llm_error"),
        (b"data: " + b"x" * 400_000, "llm_error"),
        (b'data: {"choices": []}\n\n', "llm_nonsense"),
        (b"<html>hello</html>", "llm_nonsense"),
        (b"", "llm_nonsense"),
    ],
    ids=["broken", "mistyped", "error", "endless", "no choices", "html", "empty"],
)
async def test_a_stream_that_is_none_fails_the_turn(raw: bytes, code: str) -> None:
    async with OpenAiServer(Behaviour(raw=raw)) as server:
        assert await failure(server) == (code, [])


async def test_a_model_that_writes_no_json_is_spoken_in_a_neutral_mood() -> None:
    plain = Behaviour(pieces=("I am ", "a robot."))
    async with OpenAiServer(plain) as server, planner_of(server) as planner:
        first, *_, last = await served(Conversation(planner), turn("hi"))
    assert first == ResponseMeta()
    assert last == ResponseDone(tokens=2)


async def test_a_server_that_does_not_stream_is_understood() -> None:
    async with OpenAiServer(Behaviour(streams=False)) as server, planner_of(server) as planner:
        messages = await served(Conversation(planner), turn("hi"))
    assert [m.text for m in messages if isinstance(m, ResponseDelta)] == ["Hello there, friend."]


async def test_a_cancelled_turn_closes_its_connection_and_the_next_one_works() -> None:
    async with (
        OpenAiServer(Behaviour(hangs_after=2), Behaviour()) as server,
        planner_of(server) as planner,
    ):
        service = Conversation(planner)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(service.serve(ListInbox(turn("hi")), Outbox(service)))
            await server.hung.wait()
            task.cancel()
        async with asyncio.timeout(5):
            await server.left.wait()
        assert len(await served(service, turn("hi"))) == 5


async def test_an_endless_answer_is_left() -> None:
    endless = Behaviour(pieces=('{"text": "', *["word " * 100] * 100))
    async with OpenAiServer(endless) as server, planner_of(server) as planner:
        *_, last = await served(Conversation(planner), turn("hi"))
    assert isinstance(last, ResponseDone)
    assert last.finish_reason == "length"


async def test_a_plan_is_read_to_its_end() -> None:
    async with OpenAiServer() as server, planner_of(server) as planner:
        plan = json.loads(await planner.plan(world(trigger="ball_seen"), 5))
    happy = {"action": "emote", "name": "happy", "intensity": 0.5}
    assert plan == {"actions": [happy], "ttl_ms": 900}


async def test_a_picture_reaches_the_model_as_a_data_url() -> None:
    seen = ChatMessage("user", "what is this", (Picture("image/png", b"\x89PNG"),))
    async with OpenAiServer() as server:
        model = OpenAiModel(Server(server.base_url, "tiny"))
        async with aclosing(model.write(Prompt([seen]))) as pieces:
            assert [piece async for piece in pieces] == list(GOOD_ANSWER)
        await model.close()
    (message,) = server.requests[0]["messages"]
    text, picture = message["content"]
    assert text == {"type": "text", "text": "what is this"}
    assert picture["image_url"] == {"url": "data:image/png;base64,iVBORw=="}


async def test_how_a_text_is_drawn_and_counted_is_asked_of_the_server() -> None:
    counted = (
        b'data: {"choices": [{"delta": {"content": "hi"}, "finish_reason": null}]}\n\n'
        b'data: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n'
        b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\n'
        b"data: [DONE]\n\n"
    )
    endings: list[Ending] = []
    asking = Prompt([ChatMessage("user", "hi")])
    drawn = asking._replace(top_p=0.5, stop=("END",), seed=7, ended=endings.append)
    async with OpenAiServer(Behaviour(raw=counted)) as server:
        model = OpenAiModel(Server(server.base_url, "tiny"))
        for prompt in (drawn, asking):
            async with aclosing(model.write(prompt)) as pieces:
                assert [piece async for piece in pieces] == ["hi"]
        await model.close()
    first, second = server.requests
    assert (first["top_p"], first["stop"], first["seed"]) == (0.5, ["END"], 7)
    assert first["stream_options"] == {"include_usage": True}
    assert not {"top_p", "stop", "seed", "stream_options"} & second.keys()
    assert endings == [Ending("length", 5, 2)]


@pytest.mark.parametrize(
    "behaviour", [Behaviour(status=500), Behaviour(status=401), Behaviour(raw=b"data: x\n\n")]
)
async def test_it_does_not_start_on_a_server_that_cannot_answer(behaviour: Behaviour) -> None:
    async with OpenAiServer(behaviour) as server, planner_of(server) as planner:
        with pytest.raises(BackendUnavailable, match=r"127\.0\.0\.1"):
            await planner.start()


async def test_a_busy_server_is_there() -> None:
    async with OpenAiServer(Behaviour(status=429)) as server, planner_of(server) as planner:
        await planner.start()
