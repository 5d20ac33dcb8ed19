"""The Fictures AI server's texts, by the requests of its own scripts."""

import asyncio
import json
from typing import Any

import pytest

from hub.edge.services import HubReport
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.orders import JobFact
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest, Guide
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_http import Agent

MIND = Agent(AgentKind.PLANNER, backend="vllm", model="google/gemma-2b-it")
GENERATE, STREAM = "/api/v1/text/generate", "/api/v1/text/stream"
STRUCTURED = "/api/v1/text/structured"
STORY = {
    "prompt": "Write a short story about a robot learning to paint.",
    "max_tokens": 512,
    "temperature": 0.8,
    "top_p": 0.95,
    "stop_sequences": ["THE END"],
}


def says(edge: Edge, *pieces: str, finish_reason: str = "stop") -> None:
    done = ChatDone(finish_reason=finish_reason, model="google/gemma-2b-it", completion_tokens=42)
    edge.jobs.facts = [*(JobFact(ChatDelta(text=each)) for each in pieces), JobFact(done)]


def asked(edge: Edge) -> ChatRequest:
    request = edge.jobs.wanted[-1].request
    assert isinstance(request, ChatRequest)
    return request


@pytest.fixture(autouse=True)
def agents(edge: Edge) -> None:
    edge.report = HubReport(agents=(MIND,))


async def events(edge: Edge, body: dict[str, Any], path: str = STREAM) -> list[dict[str, Any]]:
    """Every event of a stream; each is one line of data, and JSON."""
    async with edge.http.stream("POST", path, json=body) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        text = (await response.aread()).decode()
    blocks = text.split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


@pytest.mark.parametrize("base", ["", "/fictures"])
async def test_a_text_is_written_as_it_is_asked_for(edge: Edge, base: str) -> None:
    says(edge, "Once upon ", "a time.")

    answer = await edge.http.post(base + GENERATE, json=STORY)

    assert answer.status_code == 200
    assert answer.json() == {
        "text": "Once upon a time.",
        "model": "google/gemma-2b-it",
        "tokens_used": 42,
        "finish_reason": "stop",
    }
    request = asked(edge)
    assert request.messages[0].text == STORY["prompt"]
    assert (request.max_tokens, request.temperature, request.top_p) == (512, 0.8, 0.95)
    assert request.stop == ("THE END",)


async def test_defaults_are_the_documents(edge: Edge) -> None:
    says(edge, "ok")
    await edge.http.post(GENERATE, json={"prompt": "hi"})
    request = asked(edge)
    assert (request.max_tokens, request.temperature, request.top_p) == (2048, 0.7, 0.9)
    assert request.timeout_s == edge.jobs.wanted[-1].caller.deadline_s == 300


async def test_a_temperature_of_nought_means_nought(edge: Edge) -> None:
    says(edge, "ok")
    for how in ({"temperature": 0}, {"top_p": 0}, {"temperature": 0, "top_p": 0}):
        await edge.http.post(GENERATE, json={"prompt": "hi", **how})
        assert (asked(edge).temperature, asked(edge).top_p) == (0.0, None)


async def test_events_have_all_of_the_text_and_what_is_new_of_it(edge: Edge) -> None:
    says(edge, "Once ", "upon ", "a time")

    told = await events(edge, STORY, "/fictures" + STREAM)

    assert [event["text"] for event in told] == [
        "Once ", "Once upon ", "Once upon a time", "Once upon a time",
    ]  # fmt: skip
    assert [event["delta"] for event in told] == ["Once ", "upon ", "a time", ""]
    assert [event["done"] for event in told] == [False, False, False, True]
    assert [event["finish_reason"] for event in told] == [None, None, None, "stop"]
    assert {event["model"] for event in told} == {"google/gemma-2b-it"}
    assert told[-1]["tokens_used"] == 42
    assert told[0].keys() == {"text", "delta", "model", "tokens_used", "finish_reason", "done"}


async def test_a_failure_in_the_middle_is_a_last_event_that_is_json(edge: Edge) -> None:
    edge.jobs.facts = [
        JobFact(ChatDelta(text="it's ")),
        JobError('the model\'s "engine" broke', "llm_error"),
    ]

    told = await events(edge, STORY)

    assert told[-1]["done"] is True
    assert told[-1]["error"] == 'Text generation failed: the model\'s "engine" broke'
    assert (told[-1]["text"], told[-1]["finish_reason"]) == ("it's ", "error")


async def test_a_failure_before_the_first_word_has_a_status(edge: Edge) -> None:
    edge.jobs.facts = [AgentMissing("no planner is ready")]
    answer = await edge.http.post(STREAM, json=STORY)
    assert answer.status_code == 503
    assert answer.json() == {"detail": "Text generation failed: no planner is ready"}


@pytest.mark.parametrize("path", [GENERATE, STREAM])
async def test_a_client_that_goes_away_cancels_the_generation(edge: Edge, path: str) -> None:
    edge.jobs.facts = [JobFact(ChatDelta(text="one")), None]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await edge.http.post(path, json=STORY)
    async with asyncio.timeout(5):
        await edge.jobs.cancelled.wait()


@pytest.mark.parametrize("path", [GENERATE, STREAM])
async def test_eight_thousand_characters_are_a_prompt_and_one_more_is_none(
    edge: Edge, path: str
) -> None:
    says(edge, "ok")
    assert (await edge.http.post(path, json={"prompt": "a" * 8_000})).status_code == 200
    answer = await edge.http.post(path, json={"prompt": "a" * 8_001})
    assert answer.status_code == 400
    assert answer.json() == {"detail": "Prompt too long: 8001 characters, maximum 8000"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("max_tokens", 0),
        ("max_tokens", 8_193),
        ("temperature", 2.1),
        ("temperature", -0.1),
        ("top_p", 1.1),
        ("stop_sequences", [""]),
        ("stop_sequences", ["a"] * 17),
    ],
)
async def test_a_field_out_of_range_is_a_422_that_names_it(
    edge: Edge, field: str, value: object
) -> None:
    answer = await edge.http.post(GENERATE, json={**STORY, field: value})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", field]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Busy("much to do", retry_after_s=3), 429),
        (JobTimeout("too late"), 504),
        (JobError("broken", "llm_error"), 502),
    ],
)
async def test_engines_that_fail_are_told_apart(edge: Edge, error: JobError, status: int) -> None:
    edge.jobs.facts = [error]
    answer = await edge.http.post(GENERATE, json=STORY)
    assert answer.status_code == status
    assert answer.json() == {"detail": f"Text generation failed: {error}"}


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


async def structured(edge: Edge, **guide: Any) -> dict[str, Any]:
    body = {"prompt": "Describe a person.", "guided_decoding": guide, "max_tokens": 200}
    answer = await edge.http.post(STRUCTURED, json=body)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


async def test_json_is_parsed_and_checked_against_its_schema(edge: Edge) -> None:
    says(edge, '{"name": "Ada", ', '"age": 36}')

    told = await structured(edge, type="json", schema=PERSON)

    assert told == {
        "output": '{"name": "Ada", "age": 36}',
        "parsed_output": {"name": "Ada", "age": 36},
        "model": "google/gemma-2b-it",
        "tokens_used": 42,
        "finish_reason": "stop",
        "is_valid": True,
    }
    assert asked(edge).schema == PERSON


@pytest.mark.parametrize(
    ("text", "parsed"),
    [('{"name": "Ada"}', {"name": "Ada"}), ('{"name": "Ad', None), ("no", None)],
)
async def test_json_that_is_not_what_it_must_be_is_told_to_be_so(
    edge: Edge, text: str, parsed: object
) -> None:
    says(edge, text, finish_reason="length")
    told = await structured(edge, type="json", schema=PERSON)
    assert (told["is_valid"], told["parsed_output"]) == (False, parsed)


@pytest.mark.parametrize("text", ['{"choice": "yes"}', "yes", " yes\n"])
async def test_a_choice_is_given_as_it_was_offered(edge: Edge, text: str) -> None:
    says(edge, text)
    told = await structured(edge, type="choice", choices=["yes", "no"])
    assert (told["output"], told["parsed_output"], told["is_valid"]) == ("yes", "yes", True)
    assert asked(edge).schema["properties"]["choice"]["enum"] == ["yes", "no"]  # type: ignore[index]


@pytest.mark.parametrize("text", ["maybe", '{"choice": "maybe"}', '{"choice": ["yes"]}', "[]"])
async def test_what_was_not_offered_is_no_choice(edge: Edge, text: str) -> None:
    says(edge, text)
    told = await structured(edge, type="choice", choices=["yes", "no"])
    assert (told["output"], told["parsed_output"], told["is_valid"]) == (text, None, False)


@pytest.mark.parametrize(
    ("guide", "sent"),
    [
        ({"type": "regex", "pattern": r"\d{3}-\d{4}"}, Guide(kind="regex", text=r"\d{3}-\d{4}")),
        (
            {"type": "grammar", "grammar": 'root ::= "a"'},
            Guide(kind="grammar", text='root ::= "a"'),
        ),
    ],
)
async def test_engines_are_held_to_a_regular_expression_and_a_grammar(
    edge: Edge, guide: dict[str, Any], sent: Guide
) -> None:
    says(edge, "555-0199")
    told = await structured(edge, **guide)
    assert (told["output"], told["is_valid"]) == ("555-0199", True)
    assert asked(edge).guide == sent

    says(edge, "555-", finish_reason="length")
    assert (await structured(edge, **guide))["is_valid"] is False


@pytest.mark.parametrize(
    ("code", "status"),
    [("guide_unsupported", 501), ("bad_guide", 422), ("bad_schema", 422)],
)
async def test_what_an_engine_cannot_be_held_to_is_said(edge: Edge, code: str, status: int) -> None:
    edge.jobs.facts = [JobError("openai cannot hold a text to a regex", code)]
    body = {"prompt": "hi", "guided_decoding": {"type": "regex", "pattern": "a"}}
    answer = await edge.http.post(STRUCTURED, json=body)
    assert answer.status_code == status
    assert "cannot hold" in answer.json()["detail"]


@pytest.mark.parametrize(
    "guide",
    [
        {"type": "json"},
        {"type": "regex", "schema": {}},
        {"type": "choice", "choices": []},
        {"type": "poem"},
        {"type": "json", "schema": {"type": "nonsense"}},
        {"type": "json", "schema": {"$ref": "http://somewhere.example/"}},
    ],
)
async def test_a_guide_that_is_none_is_refused(edge: Edge, guide: dict[str, Any]) -> None:
    answer = await edge.http.post(STRUCTURED, json={"prompt": "hi", "guided_decoding": guide})
    assert answer.status_code == 422
    assert edge.jobs.wanted == []
