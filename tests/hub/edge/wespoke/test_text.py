"""``/ai/generate``, ``/ai/chat`` and ``/ai/rag``, with the document's own requests."""

import asyncio
from typing import Any

import httpx
import pytest

from hub.edge.services import HubReport
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.models import ModelMissing
from hub.registry import AgentInfo
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.chat import ChatEntry, ChatRequest
from protocols.messages.memory import RetrieveRequest
from tests.hub.edge.conftest import Edge
from tests.hub.edge.wespoke.conftest import LION, READY, agent, finds, writes

CONFIG = {
    "system_prompt": "You are a helpful assistant.",
    "model": "phi4",
    "temperature": 0.7,
    "max_tokens": 2048,
}
GENERATE = {"text": "What is the weather like today?", "config": CONFIG}
CHAT = {
    "message": "Tell me more about that",
    "conversation_history": [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi! How can I help?"},
    ],
    "config": {"model": "phi4", "temperature": 0.7},
}
RAG = {"query": "What is the company policy on refunds?", "knowledge_base": "default", "config": {}}


def chat_of(edge: Edge) -> ChatRequest:
    request = edge.jobs.wanted[-1].request
    assert isinstance(request, ChatRequest)
    return request


async def test_a_text_is_answered_as_the_document_says(edge: Edge) -> None:
    edge.jobs.facts = [*writes("I cannot ", "see outside.")]
    answer = await edge.http.post("/ai/generate", json=GENERATE)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"text", "tools", "processing_time"}
    assert (body["text"], body["tools"]) == ("I cannot see outside.", [])
    assert 0 < body["processing_time"] < 10
    assert "x-cache" not in answer.headers


async def test_the_same_is_to_be_had_under_the_base_path(edge: Edge) -> None:
    edge.jobs.facts = [*writes("Yes.")]
    assert (await edge.http.post("/wespoke/ai/generate", json=GENERATE)).json()["text"] == "Yes."


async def test_model_temperature_length_and_system_prompt_are_honoured(edge: Edge) -> None:
    edge.jobs.facts = [*writes("Yes.")]
    config = {**CONFIG, "model": "qwen3:14b", "temperature": 0, "max_tokens": 7}
    await edge.http.post("/ai/generate", json={"text": " Is it? ", "config": config})
    order, asked = edge.jobs.wanted[-1], chat_of(edge)
    assert (order.agent, order.model) == (AgentKind.PLANNER, "qwen3:14b")
    assert (asked.temperature, asked.max_tokens, asked.schema) == (0, 7, None)
    assert asked.messages == (
        ChatEntry(role="system", text="You are a helpful assistant."),
        ChatEntry(role="user", text="Is it?"),
    )


async def test_the_models_name_that_clients_have_written_into_them_means_any(edge: Edge) -> None:
    edge.jobs.facts = [*writes("Yes.")]
    await edge.http.post("/ai/generate", json=GENERATE)
    assert edge.jobs.wanted[-1].model == ""


async def test_a_conversation_is_gone_on_with(edge: Edge) -> None:
    edge.jobs.facts = [*writes("More.")]
    answer = await edge.http.post("/ai/chat", json=CHAT)
    body = answer.json()
    assert body == {
        "text": "More.",
        "conversation_id": None,
        "processing_time": body["processing_time"],
    }
    assert [(entry.role, entry.text) for entry in chat_of(edge).messages] == [
        ("user", "Hello"),
        ("assistant", "Hi! How can I help?"),
        ("user", "Tell me more about that"),
    ]


async def test_all_rules_stand_in_one_system_message(edge: Edge) -> None:
    edge.jobs.facts = [*writes("More.")]
    history = [{"role": "system", "content": "Be brief."}, {"role": "tool", "content": "21 °C"}]
    chat = {"message": "Go on", "conversation_history": history,
            "config": {"system_prompt": "Be kind."}}  # fmt: skip
    await edge.http.post("/ai/chat", json=chat)
    assert [(entry.role, entry.text) for entry in chat_of(edge).messages] == [
        ("system", "Be kind.\n\nBe brief."),
        ("tool", "21 °C"),
        ("user", "Go on"),
    ]


async def test_a_question_is_answered_from_passages_that_are_named(edge: Edge) -> None:
    edge.jobs.facts = [*finds(LION), *writes("At night [1].")]
    answer = await edge.http.post("/ai/rag", json={**RAG, "knowledge_base": "zoo", "top_k": 3})
    body = answer.json()
    assert set(body) == {"text", "sources", "processing_time"}
    assert body["text"] == "At night [1]."
    assert body["sources"] == [
        {"document": "zoo.md", "text": "The lion roars at night.", "score": 0.9,
         "similarity": 0.7, "chunk": 3, "heading": "Animals", "first": 10, "last": 34}
    ]  # fmt: skip
    looked_up, asked = (order.request for order in edge.jobs.wanted)
    assert looked_up == RetrieveRequest(base="zoo", query=RAG["query"], limit=3)
    assert isinstance(asked, ChatRequest)
    system, user = asked.messages
    assert "from the passages" in system.text
    assert "[1] zoo.md, Animals\nThe lion roars at night." in user.text
    assert user.text.endswith(str(RAG["query"]))


async def test_the_default_base_need_not_have_been_begun(edge: Edge) -> None:
    edge.jobs.answers = {
        RetrieveRequest: [JobError("there is no knowledge base", "unknown_base")],
        ChatRequest: [*writes("I do not know.")],
    }
    answer = await edge.http.post("/ai/rag", json=RAG)
    assert (answer.status_code, answer.json()["sources"]) == (200, [])
    assert "(none)" in chat_of(edge).messages[-1].text


async def test_any_other_base_that_is_not_there_is_not_found(edge: Edge) -> None:
    edge.jobs.facts = [JobError("there is no knowledge base zoo", "unknown_base")]
    answer = await edge.http.post("/ai/rag", json={**RAG, "knowledge_base": "zoo"})
    assert answer.status_code == 404
    assert answer.json()["detail"]["details"]["code"] == "unknown_base"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/ai/generate", {"text": "hello"}),
        ("/ai/generate", {"text": "hello", "config": {}}),
        ("/ai/generate", {"text": "", "config": CONFIG}),
        ("/ai/generate", {"text": "hello", "config": {**CONFIG, "temperature": 2.1}}),
        ("/ai/generate", {"text": "hello", "config": {**CONFIG, "max_tokens": 0}}),
        ("/ai/generate", {"text": "hello", "config": {**CONFIG, "tools": [{"name": "a b"}]}}),
        ("/ai/generate", {"text": "hi", "config": {**CONFIG, "tools": [{"name": "a"}] * 2}}),
        ("/ai/chat", {"message": "  "}),
        ("/ai/chat", {"message": "hi", "conversation_history": [{"role": "x", "content": ""}]}),
        ("/ai/rag", {"query": "hi", "knowledge_base": "no/slash"}),
        ("/ai/rag", {"query": "hi", "top_k": 21}),
        ("/ai/rag", []),
    ],
)
async def test_what_is_not_valid_is_400_in_the_documents_shape(
    edge: Edge, path: str, body: Any
) -> None:
    answer = await edge.http.post(path, json=body)
    assert answer.status_code == 400
    detail = answer.json()["detail"]
    assert detail["error"] == "ValidationError"
    assert detail["message"]
    assert detail["details"]["errors"]
    assert edge.jobs.wanted == []


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (Busy("full", retry_after_s=7), 429, "RateLimitError"),
        (ModelMissing("none has it"), 404, "ValidationError"),
        (JobError("it broke", "llm_error"), 502, "GenerationError"),
        (JobError("its server is away", "backend_unavailable"), 503, "GenerationError"),
        (AgentMissing("nobody"), 503, "GenerationError"),
        (JobTimeout("too slow"), 504, "GenerationError"),
    ],
)
async def test_what_fails_says_which_step_and_why(
    edge: Edge, failure: JobError, status: int, error: str
) -> None:
    edge.jobs.facts = [failure]
    answer = await edge.http.post("/ai/generate", json=GENERATE)
    detail = answer.json()["detail"]
    assert (answer.status_code, detail["error"]) == (status, error)
    assert (detail["message"], detail["details"]["code"]) == (str(failure), failure.code)
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)


@pytest.mark.parametrize(("path", "error"), [("/ai/chat", "ChatError"), ("/ai/rag", "RAGError")])
async def test_every_route_names_its_own_step(edge: Edge, path: str, error: str) -> None:
    edge.jobs.facts = [JobError("it broke", "llm_error")]
    body = CHAT if path == "/ai/chat" else RAG
    assert (await edge.http.post(path, json=body)).json()["detail"]["error"] == error


async def test_a_model_that_nobody_has_is_asked_for_by_its_name(edge: Edge) -> None:
    edge.report = HubReport(agents=(agent(AgentKind.PLANNER, "ollama", model="qwen3:14b"),))
    edge.jobs.facts = [*writes("Yes.")]
    config = {**CONFIG, "model": "gpt-9"}
    await edge.http.post("/ai/generate", json={"text": "hi", "config": config})
    assert edge.jobs.wanted[-1].model == "gpt-9"


async def test_a_planner_of_another_role_is_asked_for_the_model_that_it_alone_holds(
    edge: Edge,
) -> None:
    big = AgentInfo(
        "planner-2", AgentKind.PLANNER, "big", "vllm", AgentState.READY, model="qwen3:32b-big"
    )
    edge.report = HubReport(agents=(*READY.agents, big))
    edge.jobs.facts = [*writes("Yes.")]
    for model, role in (("qwen3:14b", "primary"), ("qwen3:32b-big", "big"), ("gpt-9", "primary")):
        body = {"text": "hi", "config": {**CONFIG, "model": model}}
        await edge.http.post("/ai/generate", json=body)
        assert (edge.jobs.wanted[-1].role, edge.jobs.wanted[-1].model) == (role, model)


@pytest.mark.parametrize(
    ("path", "body"), [("/ai/generate", GENERATE), ("/ai/chat", CHAT), ("/ai/rag", RAG)]
)
async def test_a_client_that_goes_away_cancels_its_job(
    edge: Edge, path: str, body: dict[str, Any]
) -> None:
    edge.jobs.facts = [None]
    with pytest.raises(httpx.ReadTimeout):
        await edge.http.post(path, json=body, timeout=0.2)
    async with asyncio.timeout(5):
        await edge.jobs.cancelled.wait()
