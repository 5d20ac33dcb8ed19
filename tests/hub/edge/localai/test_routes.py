"""LocalAI's REST routes, under its base path."""

import pytest

from hub.edge.services import HubReport
from hub.errors import AgentMissing, JobError
from hub.jobs.job import Job, JobClass
from hub.jobs.orders import JobFact
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_http import Agent

MIND = Agent(AgentKind.PLANNER, backend="ollama", model="qwen3:14b")
CHAT = "/localai/ollama/api/chat"


@pytest.fixture(autouse=True)
def agents(edge: Edge) -> None:
    edge.report = HubReport(agents=(MIND,))


async def test_its_health_says_healthy(edge: Edge) -> None:
    body = (await edge.http.get("/localai/health")).json()
    assert (body["status"], body.keys()) == ("healthy", {"status", "version"})


async def test_its_queues_are_the_hubs(edge: Edge) -> None:
    job = Job(1, AgentKind.PLANNER, JobClass.INTERACTIVE)
    edge.jobs.book.submitted(job, "chat.request", 0)

    body = (await edge.http.get("/localai/queue-status")).json()

    assert body["queues"] == {"qwen3:14b": {"pending_requests": 1, "priority": 1}}
    assert body["system"].keys() == {"cpu_percent", "memory_percent", "timestamp"}


async def test_ollama_is_running_and_lists_its_models(edge: Edge) -> None:
    assert (await edge.http.get("/localai/ollama/")).text == "Ollama is running"
    tags = (await edge.http.get("/localai/ollama/api/tags")).json()
    assert tags == {"models": [{"name": "qwen3:14b", "model": "qwen3:14b"}]}


async def test_a_chat_is_gone_on_with_and_answered_whole(edge: Edge) -> None:
    done = ChatDone(model="qwen3:14b", prompt_tokens=9, completion_tokens=3)
    edge.jobs.facts = [JobFact(ChatDelta(text="Hello.")), JobFact(done)]

    asked = {
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
        "model": "qwen3:32b",
        "temperature": 0,
    }
    body = (await edge.http.post(CHAT, json=asked)).json()

    assert body["message"] == {"role": "assistant", "content": "Hello."}
    assert (body["model"], body["done"], body["eval_count"]) == ("qwen3:14b", True, 3)
    request = edge.jobs.wanted[-1].request
    assert isinstance(request, ChatRequest)
    assert [entry.role for entry in request.messages] == ["system", "user"]
    assert request.temperature == 0
    assert edge.jobs.wanted[-1].model == ""


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (AgentMissing("no planner is ready"), 503, "agent_missing"),
        (JobError("no planner has it", "no_such_model"), 404, "no_such_model"),
    ],
)
async def test_failures_have_the_hubs_own_shape(
    edge: Edge, error: JobError, status: int, code: str
) -> None:
    edge.jobs.facts = [error]
    answer = await edge.http.post(CHAT, json={"messages": [{"role": "user", "content": "Hi"}]})
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_a_stream_is_not_promised(edge: Edge) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
    assert (await edge.http.post(CHAT, json=asked)).status_code == 422
