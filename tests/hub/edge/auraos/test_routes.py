"""AuraOS's routes, by the requests of its documents and of its two clients."""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from hub.edge.services import HubReport
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.orders import JobFact
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.model import LoadState, ModelState
from protocols.messages.vision import Box, GroundDone, GroundRequest
from tests.fakes.pictures import jpeg
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_http import Agent

EYES = Agent(AgentKind.VISION, backend="ollama", model="llava:13b")
MIND = Agent(AgentKind.PLANNER, backend="ollama", model="qwen3:14b")
BLIND = replace(EYES, backend="embedded", model="")
PICTURE = base64.b64encode(jpeg(640, 400)).decode()


def says(edge: Edge, *pieces: str, model: str = "llava:13b") -> None:
    edge.jobs.facts = [*(JobFact(ChatDelta(text=each)) for each in pieces)]
    edge.jobs.facts.append(JobFact(ChatDone(model=model, completion_tokens=7)))


def asked(edge: Edge) -> ChatRequest:
    request = edge.jobs.wanted[-1].request
    assert isinstance(request, ChatRequest)
    return request


@pytest.fixture(autouse=True)
def agents(edge: Edge) -> None:
    edge.report = HubReport(agents=(EYES, MIND))


async def test_generate_answers_the_documents_own_example(edge: Edge) -> None:
    says(edge, "Paris", ".", model="qwen3:14b")

    answer = await edge.http.post(
        "/generate", json={"prompt": "What is the capital of France?", "max_tokens": 256}
    )

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "success",
        "response": "Paris.",
        "backend": "ollama",
        "model": "qwen3:14b",
    }
    assert edge.jobs.wanted[-1].agent is AgentKind.PLANNER
    assert asked(edge).max_tokens == 256


@pytest.mark.parametrize(
    ("limit", "tokens"),
    [({"max_tokens": 9}, 9), ({"max_new_tokens": 8}, 8), ({}, 256)],
)
async def test_both_names_of_the_limit_are_honoured(
    edge: Edge, limit: dict[str, int], tokens: int
) -> None:
    says(edge, "ok")
    await edge.http.post("/auraos/generate", json={"prompt": "hi", **limit})
    assert asked(edge).max_tokens == tokens


async def test_generate_looks_at_pictures_and_obeys_a_format(edge: Edge) -> None:
    says(edge, "{}")

    answer = await edge.http.post(
        "/generate", json={"prompt": "what is it?", "images": [PICTURE], "format": "json"}
    )

    assert answer.json()["model"] == "llava:13b"
    order = edge.jobs.wanted[-1]
    assert (order.agent, order.blobs) == (AgentKind.VISION, (jpeg(640, 400),))
    assert asked(edge).schema == {"type": "object"}


async def test_the_gui_agents_question_is_answered_by_actions(edge: Edge) -> None:
    wanted = [
        {"action": "click", "x": 12, "y": 34, "confidence": 0.9},
        {"action": "wait", "seconds": 1},
    ]
    says(edge, json.dumps({"actions": wanted}))

    answer = await edge.http.post(
        "/ask", json={"query": "open the file menu", "images": [PICTURE], "parse_json": True}
    )

    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == "success"
    assert [action["action"] for action in body["actions"]] == ["click", "wait"]
    assert (body["action"], body["x"], body["y"], body["confidence"]) == ("click", 12, 34, 0.9)
    assert body["image"] == {"index": 0, "width": 640, "height": 400}
    assert (body["backend"], body["model"]) == ("ollama", "llava:13b")


async def test_the_model_is_told_the_size_of_the_picture_and_held_inside_it(edge: Edge) -> None:
    says(edge, '{"actions": [{"action": "click", "x": 640, "y": 1, "confidence": 1}]}')

    answer = await edge.http.post(
        "/ask", json={"prompt": "click the Save button", "image": PICTURE}
    )

    assert "640 pixels wide and 400 pixels high" in asked(edge).messages[0].text
    click = asked(edge).schema["properties"]["actions"]["items"]["anyOf"][0]  # type: ignore[index]
    assert click["properties"]["x"]["maximum"] == 639
    assert answer.json()["action"] == "none"
    assert answer.json()["confidence"] == 0
    assert edge.counters.read()["gui_actions.refused"] == 1


@pytest.mark.parametrize(("limit", "tokens"), [({}, 1024), ({"max_tokens": 64}, 64)])
async def test_actions_have_room_unless_the_client_says_how_much(
    edge: Edge, limit: dict[str, int], tokens: int
) -> None:
    says(edge, "[]")
    await edge.http.post("/ask", json={"prompt": "go", "image": PICTURE, **limit})
    assert asked(edge).max_tokens == tokens


async def test_a_large_picture_goes_to_the_model_as_it_came(edge: Edge) -> None:
    says(edge, "noise")
    data = jpeg(64, 48) + bytes(3_000_000)
    body = {"query": "what is it?", "images": [base64.b64encode(data).decode()]}

    assert (await edge.http.post("/ask", json=body)).status_code == 200

    assert edge.jobs.wanted[-1].blobs == (data,)


async def test_screen_automations_request_finds_the_action_at_the_top(edge: Edge) -> None:
    says(edge, 'I see it: {"action": "click", "x": 5, "y": 6, "explanation": "there"}')

    body = (await edge.http.post("/ask", json={"prompt": "click it", "image": PICTURE})).json()

    assert (body["action"], body["x"], body["y"]) == ("click", 5, 6)
    assert (body["explanation"], body["confidence"]) == ("there", 0.5)


async def test_a_question_without_parse_json_is_answered_in_words(edge: Edge) -> None:
    says(edge, "A desktop ", "with two windows.")

    body = (await edge.http.post("/ask", json={"query": "what is it?", "images": [PICTURE]})).json()

    assert body["response"] == "A desktop with two windows."
    assert body["actions"] == []
    assert "action" not in body
    assert asked(edge).schema is None


async def test_a_question_without_a_picture_is_the_text_models(edge: Edge) -> None:
    says(edge, "42")
    body = (await edge.http.post("/ask", json={"query": "6 times 7?"})).json()
    assert body["response"] == "42"
    assert edge.jobs.wanted[-1].agent is AgentKind.PLANNER


async def test_eyes_without_a_model_find_a_named_control_by_its_label(edge: Edge) -> None:
    edge.report = HubReport(agents=(BLIND, MIND))
    box = Box(text="Save", x=320.4, y=199.6, width=60, height=20, confidence=0.87)
    edge.jobs.facts = [JobFact(GroundDone(width=640, height=400, boxes=(box,)))]

    body = (
        await edge.http.post("/ask", json={"prompt": "click the Save button", "image": PICTURE})
    ).json()

    request = edge.jobs.wanted[-1].request
    assert isinstance(request, GroundRequest)
    assert request.name == "Save"
    assert (body["action"], body["x"], body["y"], body["confidence"]) == ("click", 320, 200, 0.87)
    assert body["backend"] == "embedded"
    assert "Save" in body["explanation"]


async def test_a_label_that_cannot_be_read_there_is_no_click(edge: Edge) -> None:
    edge.report = HubReport(agents=(BLIND,))
    edge.jobs.facts = [JobFact(GroundDone(width=640, height=400))]

    body = (await edge.http.post("/ask", json={"prompt": "click Quit", "image": PICTURE})).json()

    assert (body["action"], body["confidence"]) == ("none", 0)
    assert "Quit" in body["explanation"]
    assert "x" not in body


async def test_eyes_without_a_model_say_what_they_see_and_do_nothing(edge: Edge) -> None:
    edge.report = HubReport(agents=(BLIND,))
    says(edge, "There is light.", model="")

    body = (
        await edge.http.post("/ask", json={"prompt": "what should I do?", "image": PICTURE})
    ).json()

    assert body["response"] == "There is light."
    assert body["action"] == "none"
    assert asked(edge).schema is None


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/generate", {}, "prompt"),
        ("/generate", {"prompt": "   "}, "prompt"),
        ("/generate", {"prompt": "a", "max_tokens": 0}, "max_tokens"),
        ("/generate", {"prompt": "a", "format": "xml"}, "format"),
        ("/ask", {}, "Missing query"),
        ("/ask", {"image": PICTURE}, "Missing query"),
        ("/ask", {"prompt": "a", "image": "no base64!"}, "base64"),
        ("/ask", {"query": "a", "images": ["aGVsbG8="]}, "PNG, JPEG"),
        ("/ask", {"query": "a", "images": [PICTURE] * 9}, "8 are allowed"),
    ],
)
async def test_what_may_not_be_asked_is_a_400_of_this_shape(
    edge: Edge, path: str, body: dict[str, Any], reason: str
) -> None:
    answer = await edge.http.post(path, json=body)

    assert answer.status_code == 400
    assert answer.json().keys() == {"status", "error"}
    assert answer.json()["status"] == "error"
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (AgentMissing("no planner is ready"), 503, "No backend initialized"),
        (JobError("no planner has the model 'x'", "no_such_model"), 404, "no planner has"),
        (JobTimeout("too late"), 504, "too late"),
        (JobError("broken", "llm_error"), 502, "broken"),
        (Busy("everybody is at work", retry_after_s=7), 429, "everybody"),
        (JobError("one at a time", "backend_busy"), 429, "one at a time"),
    ],
)
async def test_engines_that_fail_are_told_apart(
    edge: Edge, error: JobError, status: int, sentence: str
) -> None:
    edge.jobs.facts = [error]
    answer = await edge.http.post("/generate", json={"prompt": "hi"})
    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert ("retry-after" in answer.headers) == (status == 429)


async def test_a_model_that_loads_is_said_to(edge: Edge) -> None:
    edge.report = HubReport(agents=(replace(MIND, state=AgentState.LOADING),))
    edge.jobs.facts = [AgentMissing("no planner is ready")]
    answer = await edge.http.post("/generate", json={"prompt": "hi"})
    assert (answer.status_code, answer.json()["error"]) == (503, "Model still loading")


async def test_a_client_that_goes_away_cancels_its_job(edge: Edge) -> None:
    edge.jobs.facts = [JobFact(ChatDelta(text="one")), None]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await edge.http.post("/generate", json={"prompt": "hi"})
    async with asyncio.timeout(5):
        await edge.jobs.cancelled.wait()


async def test_a_model_may_be_asked_for_by_its_name_and_by_an_alias(edge: Edge) -> None:
    says(edge, "ok")
    for name, wanted in (("llava:13b", ""), ("qwen3:14b", "qwen3:14b"), ("other", "other")):
        await edge.http.post("/generate", json={"prompt": "hi", "model": name})
        assert edge.jobs.wanted[-1].model == wanted


async def test_health_names_the_backend_and_is_always_200(edge: Edge) -> None:
    assert (await edge.http.get("/auraos/health")).json() == {
        "status": "ok",
        "backend": "Ollama(llava:13b)",
        "model_loaded": True,
    }
    unloaded = replace(
        EYES, engine=ModelState(kind=AgentKind.VISION, role="primary", state=LoadState.UNLOADED)
    )
    edge.report = HubReport(agents=(unloaded,))
    assert (await edge.http.get("/auraos/health")).json()["model_loaded"] is False
    edge.report = HubReport(agents=(replace(EYES, state=AgentState.LOADING),))
    assert (await edge.http.get("/auraos/health")).json()["status"] == "loading"
    edge.report = HubReport()
    answer = await edge.http.get("/auraos/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "loading", "backend": "none", "model_loaded": False}


async def test_a_planner_of_rules_is_no_model_for_programs(edge: Edge) -> None:
    edge.report = HubReport(agents=(replace(MIND, backend="reflex", model=""),))
    edge.jobs.facts = [JobError("the reflex planner has no language model", "backend_unavailable")]

    assert (await edge.http.get("/auraos/health")).json()["backend"] == "none"
    assert (await edge.http.get("/models")).json()["current"] == "none"
    assert (await edge.http.get("/api/v1/text/models")).json() == {"models": []}
    assert (await edge.http.get("/localai/ollama/api/tags")).json() == {"models": []}
    assert (await edge.http.post("/generate", json={"prompt": "hi"})).status_code == 503


async def test_models_list_the_documents_backends_and_what_there_is(edge: Edge) -> None:
    body = (await edge.http.get("/models")).json()

    assert body["backends"]["ollama"] == {
        "available": True,
        "model": "llava:13b",
        "type": "vision",
    }
    assert body["backends"]["ollama-text"]["model"] == "qwen3:14b"
    assert body["backends"]["transformers"]["available"] is False
    assert body["current"] == "Ollama(llava:13b)"
    assert (await edge.http.get("/auraos/models")).json() == body


async def test_changing_models_is_still_the_hubs(edge: Edge) -> None:
    assert (
        await edge.http.post("/models/load", json={"kind": "x", "model": "y"})
    ).status_code == 404
