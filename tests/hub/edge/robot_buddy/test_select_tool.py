"""``POST /eval/select_tool``: which tool a model would use."""

from dataclasses import replace

import pytest

from hub.edge.robot_buddy.select_tool import selection_in
from hub.edge.services import HubReport
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.orders import JobFact
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_http import Agent

MIND = Agent(AgentKind.PLANNER, backend="vllm", model="gemma")
PATH = "/eval/select_tool"


@pytest.fixture(autouse=True)
def agents(edge: Edge) -> None:
    edge.report = HubReport(agents=(MIND,))


@pytest.mark.parametrize("base", ["", "/robot-buddy"])
async def test_a_tool_is_chosen_at_a_temperature_of_nought(edge: Edge, base: str) -> None:
    raw = '{"tool": "look", "args": {"hint": "ball"}}'
    edge.jobs.facts = [JobFact(ChatDelta(text=raw)), JobFact(ChatDone())]

    answer = await edge.http.post(base + PATH, json={"user_text": "do you see my ball?"})

    assert answer.status_code == 200
    assert answer.json() == {"raw": raw, "parsed": {"tool": "look", "args": {"hint": "ball"}}}
    request = edge.jobs.wanted[-1].request
    assert isinstance(request, ChatRequest)
    assert (request.temperature, request.max_tokens) == (0.0, 128)
    assert request.messages[-1].text == "do you see my ball?"


@pytest.mark.parametrize(
    "raw", ["", "no", '{"tool": "explode", "args": {}}', '{"tool": "look", "args": 3}', "{"]
)
def test_what_is_no_choice_is_null(raw: str) -> None:
    assert selection_in(raw) is None


def test_a_choice_among_words_is_one() -> None:
    chosen = selection_in('I choose {"tool": "none", "args": {}}.')
    assert chosen is not None
    assert (chosen.tool, chosen.args) == ("none", {})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Busy("much to do"), 429, "llm_busy"),
        (JobError("one at a time", "backend_busy"), 429, "llm_busy"),
        (JobTimeout("too late"), 504, "llm_timeout"),
        (JobError("too late", "backend_timeout"), 504, "llm_timeout"),
        (AgentMissing("nobody"), 503, "llm_unavailable"),
        (JobError("no server", "backend_unavailable"), 503, "llm_unavailable"),
        (JobError("broken", "llm_error"), 500, "llm_error"),
    ],
)
async def test_failures_have_the_documents_codes(
    edge: Edge, error: JobError, status: int, code: str
) -> None:
    edge.jobs.facts = [error]
    answer = await edge.http.post(PATH, json={"user_text": "hi"})
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert ("retry-after" in answer.headers) == (status == 429)


async def test_rules_choose_no_tools(edge: Edge) -> None:
    edge.report = HubReport(agents=(replace(MIND, backend="reflex"),))
    answer = await edge.http.post(PATH, json={"user_text": "hi"})
    assert (answer.status_code, answer.json()["error"]) == (501, "backend_mismatch")


@pytest.mark.parametrize("text", ["", "a" * 501])
async def test_a_text_has_one_to_five_hundred_characters(edge: Edge, text: str) -> None:
    assert (await edge.http.post(PATH, json={"user_text": text})).status_code == 422
