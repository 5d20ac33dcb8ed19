"""The Messages API, over real sockets."""

import asyncio
import base64
from contextlib import aclosing
from typing import Any

import pytest
import structlog

from agents.engines.language.anthropic import AnthropicModel, Server
from agents.engines.language.base import ChatMessage, Ending, Picture, Prompt, Schema
from agents.runtime.errors import AgentError, BackendUnavailable
from tests.fakes.anthropic_server import AnthropicServer, Behaviour

PICTURE = Picture("image/png", b"png bytes")
ASKED = Prompt(
    [
        ChatMessage("system", "Be short."),
        ChatMessage("user", "hello"),
        ChatMessage("assistant", "hi"),
        ChatMessage("user", "what is it?", (PICTURE,)),
    ]
)
COLOUR = Schema("answer", {"type": "object", "properties": {"colour": {"type": "string"}}})


async def written(server: AnthropicServer, prompt: Prompt, **fields: Any) -> list[str]:
    model = AnthropicModel(Server("secret", server.url, **fields))
    try:
        await model.start()
        async with aclosing(model.write(prompt)) as pieces:
            return [piece async for piece in pieces]
    finally:
        await model.close()


async def test_a_chat_with_a_picture_is_answered_piece_by_piece() -> None:
    endings: list[Ending] = []
    async with AnthropicServer() as server:
        pieces = await written(server, ASKED._replace(ended=endings.append))
    assert pieces == ["It is ", "a red ", "square."]
    assert endings == [Ending("stop", 25, 7)]
    (asked,) = server.requests
    assert (asked["model"], asked["system"], asked["stream"]) == ("newest", "Be short.", True)
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "user"]
    shown, said = asked["messages"][2]["content"]
    data = base64.b64encode(PICTURE.data).decode()
    assert shown["source"] == {"type": "base64", "media_type": "image/png", "data": data}
    assert said == {"type": "text", "text": "what is it?"}
    assert server.headers[-1]["x-api-key"] == "secret"
    assert server.headers[-1]["anthropic-version"] == "2023-06-01"


async def test_how_the_text_is_drawn_is_passed_on_and_what_cannot_be_is_said() -> None:
    drawn = ASKED._replace(temperature=1.7, top_p=0.9, stop=("END",), max_tokens=9, seed=4)
    with structlog.testing.capture_logs() as logs:
        async with AnthropicServer() as server:
            await written(server, drawn)
    (asked,) = server.requests
    passed = ("temperature", "top_p", "stop_sequences", "max_tokens")
    assert [asked[name] for name in passed] == [1.0, 0.9, ["END"], 9]
    assert [entry["event"] for entry in logs if "seed" in entry["event"]] == ["seed_not_used"]


async def test_what_is_not_asked_for_is_left_to_the_server() -> None:
    async with AnthropicServer() as server:
        await written(server, Prompt([ChatMessage("user", "hi")]))
    assert not {"temperature", "top_p", "system", "tools"} & server.requests[0].keys()


async def test_a_schema_is_obeyed_as_the_input_of_a_tool() -> None:
    async with AnthropicServer(Behaviour(pieces=('{"colour":', ' "red"}'))) as server:
        pieces = await written(server, ASKED._replace(schema=COLOUR))
    assert "".join(pieces) == '{"colour": "red"}'
    (asked,) = server.requests
    assert asked["tools"][0]["input_schema"] == COLOUR.schema
    assert asked["tool_choice"] == {"type": "tool", "name": "answer"}


async def test_a_server_that_knows_no_tools_is_asked_without_from_then_on() -> None:
    async with AnthropicServer(Behaviour(refuses_tools=True)) as server:
        model = AnthropicModel(Server("secret", server.url, "old"))
        for _ in range(2):
            async with aclosing(model.write(ASKED._replace(schema=COLOUR))) as pieces:
                assert await anext(pieces) == "It is "
        await model.close()
    assert ["tools" in asked for asked in server.requests] == [True, False, False]


async def test_a_text_that_reached_its_limit_says_so() -> None:
    endings: list[Ending] = []
    async with AnthropicServer(Behaviour(stop_reason="max_tokens")) as server:
        await written(server, ASKED._replace(ended=endings.append))
    assert endings[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Behaviour(status=401), "backend_unavailable"),
        (Behaviour(status=429), "backend_busy"),
        (Behaviour(status=529), "backend_busy"),
        (Behaviour(status=500), "backend_unavailable"),
        (Behaviour(status=400), "llm_error"),
        (Behaviour(fails_after=0), "backend_busy"),
        (Behaviour(fails_after=1, fault="api_error"), "llm_error"),
        (Behaviour(dies_after=0), "backend_unavailable"),
        (Behaviour(ends_after=1), "backend_unavailable"),
        (Behaviour(hangs_after=0), "backend_timeout"),
        (Behaviour(raw=b"data: {nonsense\n\n"), "llm_error"),
        (Behaviour(raw=b"data: " + b"x" * 300_000), "llm_error"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_every_failure_has_its_code(behaviour: Behaviour, code: str) -> None:
    async with AnthropicServer(behaviour) as server:
        with pytest.raises(AgentError) as caught:
            await written(server, ASKED, timeout_s=0.3 if code == "backend_timeout" else 5.0)
    assert caught.value.code == code


async def test_a_text_that_is_left_closes_its_connection() -> None:
    async with AnthropicServer(Behaviour(hangs_after=1)) as server:
        model = AnthropicModel(Server("secret", server.url, "old"))
        async with aclosing(model.write(ASKED)) as pieces:
            await anext(pieces)
        async with asyncio.timeout(5):
            await server.left.wait()
        await model.close()


async def test_a_server_that_does_not_take_the_key_is_unavailable() -> None:
    async with AnthropicServer() as server:
        model = AnthropicModel(Server("", server.url))
        with pytest.raises(BackendUnavailable, match="401"):
            await model.start()
        await model.close()
