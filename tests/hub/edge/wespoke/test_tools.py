"""Functions that a request declares: how the model is told of them, and what comes of its calls."""

import json
from typing import Any

import pytest

from hub.edge.schemas import BadSchema
from hub.edge.wespoke.tools import Answer, Call, Tool, Toolbox
from protocols.messages.chat import ChatRequest
from tests.hub.edge.conftest import Edge
from tests.hub.edge.wespoke.conftest import LION, finds, writes

WEATHER = {
    "name": "get_weather",
    "description": "The weather somewhere.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["C", "F"]},
            "days": {"type": "integer"},
        },
        "required": ["city"],
        "additionalProperties": False,
    },
}
MISFIT = "its arguments are not what its schema says"
TOOLS = Toolbox([Tool.model_validate(WEATHER)])
CONFIG = {"system_prompt": "Be brief.", "tools": [WEATHER]}


def written(*calls: Any, text: str = "") -> str:
    return json.dumps({"calls": calls, "text": text})


def call(**arguments: Any) -> dict[str, Any]:
    return {"name": "get_weather", "arguments": arguments}


async def test_a_call_comes_back_for_the_client_to_make(edge: Edge) -> None:
    edge.jobs.facts = [*writes(written(call(city="Oslo"), text="One moment."))]
    body = {"text": "Is it warm in Oslo?", "config": CONFIG}
    answer = (await edge.http.post("/ai/generate", json=body)).json()
    assert answer["text"] == "One moment."
    assert answer["tools"] == [
        {"name": "get_weather", "success": True, "result": None, "arguments": {"city": "Oslo"}}
    ]
    asked = edge.jobs.wanted[-1].request
    assert isinstance(asked, ChatRequest)
    assert asked.schema is not None
    items = asked.schema["properties"]["calls"]["items"]
    assert items["properties"]["name"]["enum"] == ["get_weather"]
    assert items["properties"]["arguments"]["required"] == ["city"]
    system = asked.messages[0]
    assert system.role == "system"
    assert system.text.startswith("Be brief.")
    assert "get_weather: The weather somewhere." in system.text


async def test_the_form_of_the_openai_api_means_the_same(edge: Edge) -> None:
    edge.jobs.facts = [*writes(written(call(city="Oslo")))]
    config = {**CONFIG, "tools": [{"type": "function", "function": WEATHER}]}
    answer = await edge.http.post("/ai/generate", json={"text": "Oslo?", "config": config})
    assert [each["name"] for each in answer.json()["tools"]] == ["get_weather"]


async def test_chat_and_rag_tell_of_calls_where_functions_were_declared(edge: Edge) -> None:
    edge.jobs.facts = [*finds(LION), *writes(written(call(city="Oslo")))]
    chat = {"message": "Oslo?", "config": {"tools": [WEATHER]}}
    assert (await edge.http.post("/ai/chat", json=chat)).json()["tools"][0]["success"]
    rag = {"query": "Oslo?", "config": {"tools": [WEATHER]}}
    answer = (await edge.http.post("/ai/rag", json=rag)).json()
    assert answer["tools"][0]["arguments"] == {"city": "Oslo"}
    assert len(answer["sources"]) == 1


async def test_what_a_tool_answered_goes_on_with_the_conversation(edge: Edge) -> None:
    edge.jobs.facts = [*writes(written(text="It is 21 degrees."))]
    history = [{"role": "user", "content": "Oslo?"}, {"role": "tool", "content": "21 °C"}]
    body = {"message": "So?", "conversation_history": history, "config": {"tools": [WEATHER]}}
    answer = (await edge.http.post("/ai/chat", json=body)).json()
    assert (answer["text"], answer["tools"]) == ("It is 21 degrees.", [])
    asked = edge.jobs.wanted[-1].request
    assert isinstance(asked, ChatRequest)
    assert [entry.role for entry in asked.messages] == ["system", "user", "tool", "user"]


@pytest.mark.parametrize(
    ("called", "fault"),
    [
        (call(), MISFIT),
        (call(city=7), MISFIT),
        (call(city="Oslo", days=True), MISFIT),
        (call(city="Oslo", days=1.5), MISFIT),
        (call(city="Oslo", unit="K"), MISFIT),
        (call(city="Oslo", wind=1), MISFIT),
        ({"name": "get_weather", "arguments": [1]}, "its arguments are no object"),
        ({"name": "rm", "arguments": {}}, "no such function was declared"),
        ({"arguments": {}}, "the call names no function"),
        ("get_weather", "the call names no function"),
    ],
)
def test_a_call_that_cannot_be_made_says_why(called: Any, fault: str) -> None:
    (told,) = TOOLS.read(written(called)).calls
    assert told.fault == fault


def test_arguments_in_a_string_are_read_as_well() -> None:
    called = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    assert TOOLS.read(written(called)).calls == (Call("get_weather", {"city": "Oslo"}),)


@pytest.mark.parametrize(
    "text", ["It is warm.", "{it is} warm", '{"answer": 1}', "[1]", "", 'see {"text": "x"}']
)
def test_an_answer_that_is_no_such_object_is_all_text(text: str) -> None:
    assert TOOLS.read(text) == Answer(text)


def test_an_object_in_a_fence_of_markdown_is_an_object() -> None:
    fenced = f"```json\n{written(call(city='Oslo'), text='Hm.')}\n```"
    answer = TOOLS.read(fenced)
    assert (answer.text, len(answer.calls)) == ("Hm.", 1)


def test_no_more_than_eight_calls_are_told() -> None:
    assert len(TOOLS.read(written(*[call(city="Oslo")] * 20)).calls) == 8


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "string"},
        {"properties": {"city": {"type": "place"}}},
        {"properties": {"city": {"$ref": "https://example.org/city.json"}}},
        {"properties": {"city": {"$ref": "#/$defs/city"}}},
        {"properties": {"days": {"maximum": 10**30}}},
        {"description": "x" * 16_001},
    ],
)
async def test_parameters_that_are_no_schema_are_refused(
    edge: Edge, parameters: dict[str, Any]
) -> None:
    config = {"system_prompt": "", "tools": [{"name": "look", "parameters": parameters}]}
    answer = await edge.http.post("/ai/generate", json={"text": "hi", "config": config})
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]["error"] == "ValidationError"
    assert edge.jobs.wanted == []


def test_a_pattern_that_takes_for_ever_is_no_fit() -> None:
    parameters = {"properties": {"city": {"type": "string", "pattern": "^(a|aa)+$(?!x)"}}}
    toolbox = Toolbox([Tool(name="look", parameters=parameters)])
    called = {"name": "look", "arguments": {"city": "a" * 60 + "!"}}
    (told,) = toolbox.read(written(called)).calls
    assert told.fault == MISFIT


def test_a_schema_that_has_no_end_is_none() -> None:
    endless = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}
    with pytest.raises(BadSchema):
        Toolbox([Tool(name="look", parameters=endless)])
