"""``POST /models/load`` and ``/models/unload``, and what ``/status`` says of models."""

import json
from typing import Any

import httpx
import pytest

from hub.edge.services import HubReport
from hub.errors import AgentMissing, Busy, JobError
from hub.registry import AgentInfo
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.messages.agent import AgentKind, AgentProgress, AgentState
from protocols.messages.model import LoadState, ModelLoad, ModelState, ModelUnload
from tests.hub.edge.conftest import Edge

LOAD = {"kind": "planner", "model": "big"}


def planner(state: LoadState = LoadState.READY, **fields: Any) -> AgentInfo:
    engine = ModelState(
        kind=AgentKind.PLANNER, role="primary", state=state, model="small", memory_mib=512
    )
    ready = AgentInfo("planner-1", AgentKind.PLANNER, "primary", "scripted", AgentState.READY)
    changes = {"has_models": True, "engine": engine, "model": "small", **fields}
    return AgentInfo(
        **{name: getattr(ready, name) for name in AgentInfo.__slots__} | changes  # type: ignore[attr-defined]
    )


@pytest.fixture
def ready(edge: Edge) -> Edge:
    edge.report = HubReport(agents=(planner(),))
    return edge


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_load_streams_its_progress_and_how_it_ended(ready: Edge) -> None:
    ready.jobs.model_progress = [AgentProgress(step="load", done=1, total=2, unit="files")]
    answer = await ready.http.post("/models/load", json=LOAD)
    assert answer.status_code == 200
    assert lines(answer) == [
        {"step": "load", "done": 1, "total": 2, "unit": "files"},
        {"status": "done"},
    ]
    assert ready.jobs.orders == [("planner-1", ModelLoad(model="big"))]


async def test_an_unload_is_answered_alike(ready: Edge) -> None:
    answer = await ready.http.post("/models/unload", json={"kind": "planner"})
    assert lines(answer) == [{"status": "done"}]
    assert ready.jobs.orders == [("planner-1", ModelUnload())]


async def test_a_load_that_fails_under_way_says_so_in_its_last_line(ready: Edge) -> None:
    broken = JobError("out of memory", "backend_unavailable")
    ready.jobs.model_progress = [AgentProgress(step="load"), broken]
    answer = await ready.http.post("/models/load", json=LOAD)
    assert lines(answer)[-1] == {
        "status": "failed", "code": "backend_unavailable", "detail": "out of memory",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Busy("it loads", "model_busy"), 409),
        (JobError("it loads", "model_busy"), 409),
        (JobError("no", "no_models"), 502),
        (AgentMissing("gone"), 503),
    ],
)
async def test_what_the_agent_refuses_at_once_is_refused_by_its_status(
    ready: Edge, refusal: JobError, status: int
) -> None:
    ready.jobs.model_progress = [refusal]
    answer = await ready.http.post("/models/load", json=LOAD)
    assert (answer.status_code, answer.json()["error"]) == (status, refusal.code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "toaster", "model": "big"}, 404, "unknown_kind"),
        ({"kind": "stt", "model": "big"}, 404, "no_such_agent"),
        ({"kind": "planner", "model": "big", "role": "reflex"}, 404, "no_such_agent"),
    ],
)
async def test_who_is_not_there_is_not_found(
    ready: Edge, body: dict[str, str], status: int, code: str
) -> None:
    answer = await ready.http.post("/models/load", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert ready.jobs.orders == []


async def test_an_agent_without_models_is_not_found_either(edge: Edge) -> None:
    edge.report = HubReport(agents=(planner(has_models=False),))
    answer = await edge.http.post("/models/load", json=LOAD)
    assert (answer.status_code, answer.json()["error"]) == (404, "no_models")


async def test_one_load_at_a_time(edge: Edge) -> None:
    edge.report = HubReport(agents=(planner(LoadState.LOADING),))
    answer = await edge.http.post("/models/load", json=LOAD)
    assert (answer.status_code, answer.json()["error"]) == (409, "model_busy")


@pytest.mark.parametrize(
    "body",
    [{}, {"kind": "planner"}, {**LOAD, "model": ""}, {**LOAD, "model": "x" * 501},
     {**LOAD, "model": "a\nb"}, {**LOAD, "model": 7}],
)  # fmt: skip
async def test_a_body_that_makes_no_sense_is_422(ready: Edge, body: dict[str, Any]) -> None:
    assert (await ready.http.post("/models/load", json=body)).status_code == 422
    assert ready.jobs.orders == []


async def test_only_an_administrators_token_changes_models(ready: Edge) -> None:
    robots, programs = tokens.create(ready.db, "r1"), tokens.create(ready.db)
    admins = tokens.create(ready.db, scope=Scope.ADMIN)
    answers = [
        await ready.http.post(
            "/models/load", json=LOAD, headers={"Authorization": f"Bearer {token}"}
        )
        for token in (robots, programs, admins, "wrong")
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 200, 401]


async def test_a_client_that_goes_away_leaves_no_job(ready: Edge) -> None:
    ready.jobs.model_progress = [AgentProgress(step="load"), None]
    async with ready.http.stream("POST", "/models/load", json=LOAD) as answer:
        await anext(answer.aiter_lines())
    await ready.jobs.cancelled.wait()


async def test_status_tells_state_model_memory_and_progress(edge: Edge) -> None:
    edge.report = HubReport(agents=(planner(LoadState.LOADING, progress="loading big 50%"),))
    (agent,) = (await edge.http.get("/status")).json()["agents"].values()
    assert agent["model"] == "small"
    assert agent["model_state"] == "loading"
    assert agent["memory_mib"] == 512
    assert agent["progress"] == "loading big 50%"


@pytest.mark.parametrize(
    ("state", "loaded"),
    [(LoadState.READY, True), (LoadState.LOADING, True), (LoadState.UNLOADED, False)],
)
async def test_health_tells_whether_the_model_is_in_memory(
    edge: Edge, state: LoadState, loaded: bool
) -> None:
    edge.report = HubReport(agents=(planner(state),))
    answer = await edge.http.get("/health")
    assert answer.status_code == 200
    assert answer.json()["llm_engine_loaded"] is loaded
