"""``/v1/chat/completions`` and ``/v1/completions``, asked by OpenAI's own client."""

import asyncio
import base64
from typing import Any

import httpx
import pytest
from openai import APIError, BadRequestError, InternalServerError
from pydantic import BaseModel

from agents.runtime.errors import AgentError
from tests.agents.image_gen.pictures import plain
from tests.hub.edge.openai.conftest import Api
from tests.virtual_time import until

HELLO: list[Any] = [{"role": "user", "content": "hello there robot"}]


async def test_a_chat_is_gone_on_with(api: Api) -> None:
    answer = await api.client.chat.completions.create(
        model="tiny-chat",
        messages=[{"role": "developer", "content": "be short"}, *HELLO],
        temperature=0,
        top_p=0.5,
        max_completion_tokens=2,
        stop=["!", "?"],
        seed=-1,
    )
    assert answer.choices[0].message.content == "hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.object, answer.model) == ("chat.completion", "tiny-chat")
    assert answer.usage is not None
    assert answer.usage.model_dump(exclude_none=True) == {
        "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,
    }  # fmt: skip
    (prompt,) = api.planner.prompts
    assert [(m.role, m.text) for m in prompt.messages] == [
        ("system", "be short"),
        ("user", "hello there robot"),
    ]
    assert (prompt.temperature, prompt.top_p, prompt.max_tokens) == (0.0, 0.5, 2)
    assert (prompt.stop, prompt.seed) == (("!", "?"), (1 << 32) - 1)


async def test_a_chat_is_streamed_as_it_is_written(api: Api) -> None:
    stream = await api.client.chat.completions.create(
        model="tiny-chat", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    first, *middle, last, usage = chunks
    assert first.choices[0].delta.role == "assistant"
    assert [c.choices[0].delta.content for c in middle] == ["hello", " there", " robot"]
    assert last.choices[0].finish_reason == "stop"
    assert usage.choices == []
    assert usage.usage is not None
    assert usage.usage.total_tokens == 6
    assert len({chunk.id for chunk in chunks}) == 1


async def test_without_being_asked_a_stream_tells_no_usage(api: Api) -> None:
    stream = await api.client.chat.completions.create(
        model="tiny-chat", messages=HELLO, stream=True
    )
    assert [c.usage async for c in stream] == [None] * 5


async def test_tokens_that_an_engine_does_not_count_are_estimated_and_said_to_be(api: Api) -> None:
    api.planner.counts = False
    answer = await api.client.chat.completions.create(model="tiny-chat", messages=HELLO)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.model_extra == {"estimated": True}
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 5)


@pytest.mark.parametrize(
    ("name", "says"),
    [("gpt-4o-mini", "hello"), ("mine", "hello"), ("phi4", "hello"), ("o3", "hello")],
)
async def test_names_of_hosted_models_and_aliases_mean_the_model_that_is_there(
    api: Api, name: str, says: str
) -> None:
    answer = await api.client.chat.completions.create(model=name, messages=HELLO, max_tokens=1)
    assert answer.choices[0].message.content == says
    assert answer.model == "tiny-chat"


def shown(url: str) -> list[Any]:
    parts = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
    ]
    return [{"role": "user", "content": parts}]


@pytest.mark.parametrize("name", ["tiny-chat", "tiny-eyes", "gpt-4o"])
async def test_pictures_are_for_vision_whichever_model_is_named(api: Api, name: str) -> None:
    png = plain(side=64)
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    answer = await api.client.chat.completions.create(model=name, messages=shown(url))
    assert answer.choices[0].message.content == "1 pictures. what is this?"
    assert answer.model == "tiny-eyes"
    assert api.eyes.prompts[0].messages[0].pictures[0].data == png
    assert api.planner.prompts == []


async def test_nothing_is_fetched(api: Api) -> None:
    with pytest.raises(BadRequestError, match="nothing is fetched") as caught:
        await api.client.chat.completions.create(
            model="gpt-4o", messages=shown("https://example.org/cat.png")
        )
    assert caught.value.param == "messages"
    with pytest.raises(BadRequestError, match="a picture is expected") as caught:
        await api.client.chat.completions.create(
            model="gpt-4o", messages=shown("data:image/png;base64,AAAA")
        )
    assert caught.value.code == "bad_picture"


class Step(BaseModel):
    what: str
    why: str


async def test_an_answer_that_has_a_schema_is_held_to_it(api: Api) -> None:
    api.planner.play(('```json\n{"what": "go', '", "why": "far"}', "\n```\n"))
    answer = await api.client.chat.completions.parse(
        model="tiny-chat", messages=HELLO, response_format=Step
    )
    assert answer.choices[0].message.parsed == Step(what="go", why="far")
    schema = api.planner.prompts[0].schema
    assert schema is not None
    assert schema.schema["properties"].keys() == {"what", "why"}

    api.planner.play(('```json\n{"what": "go', '", "why": "far"}', "\n```\n"))
    stream = await api.client.chat.completions.create(
        model="tiny-chat", messages=HELLO, response_format={"type": "json_object"}, stream=True
    )
    pieces = [c.choices[0].delta.content or "" async for c in stream]
    assert "".join(pieces) == '{"what": "go", "why": "far"}'
    assert pieces[1] == '{"what": "go'


async def test_what_was_to_be_json_and_is_none_is_an_error(api: Api) -> None:
    api.planner.play(("well, I think",))
    with pytest.raises(InternalServerError) as caught:
        await api.client.chat.completions.create(
            model="tiny-chat", messages=HELLO, response_format={"type": "json_object"}
        )
    assert (caught.value.status_code, caught.value.code) == (502, "llm_nonsense")


async def test_what_only_hosted_models_need_is_ignored(api: Api) -> None:
    answer = await api.client.chat.completions.create(
        model="tiny-chat",
        messages=HELLO,
        n=1,
        user="me",
        store=False,
        metadata={"a": "b"},
        service_tier="auto",
        reasoning_effort="low",
        logprobs=False,
        frequency_penalty=0,
        parallel_tool_calls=True,
    )
    assert answer.choices[0].message.content == "hello there robot"


async def test_an_engine_that_breaks_has_a_status_before_its_first_word_and_none_after(
    api: Api,
) -> None:
    broken = AgentError("the engine broke", "engine_died")
    api.planner.play((), error=broken)
    with pytest.raises(InternalServerError) as caught:
        await api.client.chat.completions.create(model="tiny-chat", messages=HELLO, stream=True)
    assert (caught.value.status_code, caught.value.code) == (502, "engine_died")

    api.planner.play(("well",), error=broken)
    stream = await api.client.chat.completions.create(
        model="tiny-chat", messages=HELLO, stream=True
    )
    said = [(await anext(stream)).choices[0].delta.content for _ in range(2)]
    assert said == ["", "well"]
    with pytest.raises(APIError, match="the engine broke"):
        await anext(stream)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_goes_away_stops_the_engine(api: Api, stream: bool) -> None:
    api.planner.play(("so", "much", "to", "say") * 1_000, pause_s=0.01)
    async with (
        httpx.AsyncClient(base_url=api.url, trust_env=False) as http,
        asyncio.TaskGroup() as tasks,
    ):
        body = {"model": "tiny-chat", "messages": HELLO, "stream": stream}
        asking = tasks.create_task(http.post("/v1/chat/completions", json=body))
        await until(lambda: api.planner.opened, within_s=10)
        asking.cancel()
    await api.cancelled()
    assert (api.planner.opened, api.planner.closed) == (1, 1)
    assert [record.state for record in api.there.desk.records()] == ["cancelled"]


async def test_a_prompt_is_answered(api: Api) -> None:
    answer = await api.client.completions.create(
        model="tiny-chat", prompt=["say something nice"], max_tokens=2, echo=True
    )
    assert answer.choices[0].text == "say something nicesay something"
    assert answer.object == "text_completion"
    stream = await api.client.completions.create(
        model="tiny-chat", prompt="say something nice", stream=True
    )
    parts = [part async for part in stream]
    assert [part.choices[0].text for part in parts] == ["say", " something", " nice", ""]
    assert parts[-1].choices[0].finish_reason == "stop"
