"""Functions that models may call: declared by the client, called by a model that only writes text."""

import json
from typing import Any

import pytest
from openai import InternalServerError
from openai.types.chat import ChatCompletionMessageFunctionToolCall
from pydantic import BaseModel

from hub.edge.openai.chat_bodies import Function
from hub.edge.openai.tools import Choice, schema_of
from tests.hub.edge.openai.conftest import Api

ASKED: list[Any] = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "how is the weather in Bern?"},
]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city now.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
TIME: Any = {"type": "function", "function": {"name": "get_time"}}
CALLED = '{"calls": [{"name": "get_weather", "arguments": {"city": "Zürich"}}], "text": ""}'


def told(api: Api) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in api.planner.prompts[-1].messages]


async def test_a_function_is_called_and_its_answer_taken(api: Api) -> None:
    api.planner.play((CALLED[:20], CALLED[20:]), ('{"calls": [], "text": "It ', 'rains."}'))
    first = await api.client.chat.completions.create(
        model="tiny-chat", messages=ASKED, tools=[WEATHER, TIME]
    )
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert isinstance(call, ChatCompletionMessageFunctionToolCall)
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Zürich"}
    system, user = told(api)
    assert system[1].startswith("be kind\n\nYou can have these functions called:\n- get_weather: W")
    assert user == ("user", "how is the weather in Bern?")
    schema = api.planner.prompts[0].schema
    assert schema is not None
    listed = schema.schema["properties"]["calls"]["items"]["anyOf"]
    assert [each["properties"]["name"]["enum"] for each in listed] == [
        ["get_weather"],
        ["get_time"],
    ]
    assert listed[0]["properties"]["arguments"]["required"] == ["city"]

    more: list[Any] = [
        choice.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"},
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    second = await api.client.chat.completions.create(
        model="tiny-chat", messages=[*ASKED, *more], tools=[WEATHER, TIME]
    )
    assert second.choices[0].message.content == "It rains."
    assert second.choices[0].message.tool_calls is None
    assert second.choices[0].finish_reason == "stop"
    *_, assistant, results = told(api)
    assert json.loads(assistant[1]) == json.loads(CALLED)
    assert results == ("user", "get_weather answered: 12 degrees\nget_weather answered: rain")


async def test_words_and_calls_are_streamed(api: Api) -> None:
    written = '{"calls": [], "text": "It \\"rains\\" \\ud83c\\udf27."}'
    api.planner.play(tuple(written))
    stream = await api.client.chat.completions.create(
        model="tiny-chat", messages=ASKED, tools=[WEATHER], stream=True
    )
    words = [c.choices[0].delta.content async for c in stream]
    assert "".join(word or "" for word in words) == 'It "rains" 🌧.'
    assert len(words) > 10

    api.planner.play((CALLED,))
    async with api.client.chat.completions.stream(
        model="tiny-chat",
        messages=ASKED,
        tools=[{**WEATHER, "function": {**WEATHER["function"], "strict": True}}],
    ) as events:
        final = await events.get_final_completion()
    assert final.choices[0].finish_reason == "tool_calls"
    assert final.choices[0].message.tool_calls is not None
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments == {"city": "Zürich"}


@pytest.mark.parametrize("piece", ["It rains. {now}", "```\nno json\n```", "  ", ""])
async def test_a_model_that_writes_no_json_answers_in_words(api: Api, piece: str) -> None:
    api.planner.play((piece,))
    answer = await api.client.chat.completions.create(
        model="tiny-chat", messages=ASKED, tools=[WEATHER]
    )
    assert answer.choices[0].message.content == piece


@pytest.mark.parametrize(
    "written",
    [
        '{"name": "get_weather", "arguments": {"city": "Zürich"}}',
        f"```json\n{CALLED}\n```",
        '{"calls": [{"name": "get_weather", "arguments": "{\\"city\\": \\"Zürich\\"}"}]}',
    ],
)
async def test_calls_are_understood_as_models_like_to_write_them(api: Api, written: str) -> None:
    api.planner.play((written,))
    answer = await api.client.chat.completions.create(
        model="tiny-chat", messages=ASKED, tools=[WEATHER]
    )
    (call,) = answer.choices[0].message.tool_calls or ()
    assert isinstance(call, ChatCompletionMessageFunctionToolCall)
    assert json.loads(call.function.arguments) == {"city": "Zürich"}


async def test_a_function_that_must_be_called_is_the_only_thing_a_model_may_write(api: Api) -> None:
    api.planner.play(('{"calls": [{"name": "get_time", "arguments": {}}]}',))
    answer = await api.client.chat.completions.create(
        model="tiny-chat",
        messages=ASKED,
        tools=[WEATHER, TIME],
        tool_choice={"type": "function", "function": {"name": "get_time"}},
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    schema = api.planner.prompts[0].schema
    assert schema is not None
    assert schema.schema["required"] == ["calls"]
    assert schema.schema["properties"]["calls"]["maxItems"] == 1

    api.planner.play(("I would rather not.",))
    with pytest.raises(InternalServerError) as caught:
        await api.client.chat.completions.create(
            model="tiny-chat", messages=ASKED, tools=[WEATHER], tool_choice="required"
        )
    assert caught.value.code == "llm_nonsense"


async def test_functions_that_may_not_be_called_are_not_spoken_of(api: Api) -> None:
    await api.client.chat.completions.create(
        model="tiny-chat", messages=ASKED, tools=[WEATHER], tool_choice="none"
    )
    assert told(api)[0] == ("system", "be kind")
    assert api.planner.prompts[0].schema is None


async def test_a_call_of_a_function_that_was_not_declared_is_an_error(api: Api) -> None:
    api.planner.play(('{"calls": [{"name": "reboot", "arguments": {}}], "text": ""}',))
    with pytest.raises(InternalServerError) as caught:
        await api.client.chat.completions.create(model="tiny-chat", messages=ASKED, tools=[WEATHER])
    assert caught.value.code == "llm_nonsense"


async def test_an_answer_may_have_a_schema_beside_functions(api: Api) -> None:
    class Advice(BaseModel):
        umbrella: bool

    api.planner.play(('{"calls": [], "text": {"umbrella": true}}',))
    answer = await api.client.chat.completions.create(
        model="tiny-chat",
        messages=ASKED,
        tools=[WEATHER],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "advice", "schema": Advice.model_json_schema()},
        },
    )
    assert Advice.model_validate_json(answer.choices[0].message.content or "") == Advice(
        umbrella=True
    )


def test_definitions_of_schemas_find_their_place_in_the_larger_one() -> None:
    inner = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Place"}}}
    schema = {"$ref": "#/$defs/Place", "$defs": {"Place": inner}}
    functions = tuple(Function(name=name, parameters=schema) for name in ("go", "look"))
    made = schema_of(Choice(functions), schema)
    refs = [
        each["properties"]["arguments"]["$ref"]
        for each in made["properties"]["calls"]["items"]["anyOf"]
    ]
    assert refs == ["#/$defs/f0_Place", "#/$defs/f1_Place"]
    assert made["properties"]["text"]["anyOf"][0] == {"$ref": "#/$defs/text_Place"}
    assert made["$defs"]["f1_Place"]["properties"]["next"] == {"$ref": "#/$defs/f1_Place"}
