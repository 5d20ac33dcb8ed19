"""The routes that show jobs: what they tell, to whom, and who may end one."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.edge.services import HubReport
from hub.jobs.job import Job, JobClass, JobEnd
from hub.machine import Machine, Use
from hub.registry import AgentInfo
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.messages.agent import AgentKind, AgentState
from tests.hub.edge.conftest import Edge, served

S = 1_000_000_000


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with served(tmp_path) as made:
        yield made


def submit(edge: Edge, number: int, client: str = "", **more: Any) -> None:
    kind = more.pop("agent", AgentKind.VISION)
    job = Job(number, kind, JobClass.INTERACTIVE, client=client, **more)
    edge.jobs.book.submitted(job, "chat.request", edge.jobs.time_ns)


def bearer(edge: Edge, scope: Scope) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create(edge.db, scope=scope)}"}


def id_in(headers: dict[str, str]) -> str:
    return headers["Authorization"].split("_")[1]


async def test_a_job_tells_how_far_it_is_and_nothing_of_what_it_says(edge: Edge) -> None:
    submit(edge, 5, robot="r1", model="llava")
    edge.jobs.time_ns = 2 * S
    edge.jobs.book.began(5, "vision-1", edge.jobs.time_ns)
    edge.jobs.time_ns = 5 * S
    found = (await edge.http.get("/jobs/1-5")).json()
    assert found == {
        "id": "1-5",
        "request": "chat.request",
        "agent": "vision",
        "job_class": "interactive",
        "state": "running",
        "client": "",
        "robot": "r1",
        "model": "llava",
        "instance": "vision-1",
        "age_s": 5.0,
        "waited_s": 2.0,
        "ran_s": 3.0,
        "requeues": 0,
        "code": "",
        "progress": None,
    }
    assert (await edge.http.get("/jobs")).json() == {"jobs": [found]}
    edge.jobs.book.told(5, 0.25)
    assert (await edge.http.get("/jobs/1-5")).json()["progress"] == 0.25
    edge.jobs.book.requeued(5)
    assert (await edge.http.get("/jobs/1-5")).json()["progress"] is None


async def test_a_job_that_ended_is_kept_for_ten_minutes(edge: Edge) -> None:
    submit(edge, 1)
    edge.jobs.book.ended(1, JobEnd.FAILED, "backend_broken", S)
    found = (await edge.http.get("/jobs/1-1")).json()
    assert (found["state"], found["code"]) == ("failed", "backend_broken")
    edge.jobs.time_ns = 601 * S
    gone = await edge.http.get("/jobs/1-1")
    assert (gone.status_code, gone.json()["error"]) == (404, "unknown_job")


async def test_of_jobs_that_ended_some_of_every_class_are_kept(edge: Edge) -> None:
    edge.jobs.book.submitted(Job(9_999, AgentKind.IMAGE_GEN, JobClass.IMAGE), "image.request", 0)
    edge.jobs.book.ended(9_999, JobEnd.DONE, "", S)
    for number in range(1, 302):
        submit(edge, number)
        edge.jobs.book.ended(number, JobEnd.DONE, "", S + number)
    assert edge.jobs.records()[0].id == "1-301"
    assert len(edge.jobs.records()) == 251
    assert len((await edge.http.get("/jobs")).json()["jobs"]) == 200
    (image,) = (await edge.http.get("/jobs?job_class=image")).json()["jobs"]
    assert image["id"] == "1-9999"
    assert (await edge.http.get("/jobs?job_class=other")).status_code == 422


async def test_a_job_is_cancelled_by_its_id_and_only_once(edge: Edge) -> None:
    submit(edge, 1)
    assert (await edge.http.delete("/jobs/1-1")).status_code == 204
    again = await edge.http.delete("/jobs/1-1")
    assert (again.status_code, again.json()["error"]) == (409, "job_over")
    assert (await edge.http.delete("/jobs/1-7")).status_code == 404


async def test_a_job_is_ended_by_its_owner_and_by_an_administrator_alone(edge: Edge) -> None:
    owner, other = bearer(edge, Scope.CLIENT), bearer(edge, Scope.CLIENT)
    admin = bearer(edge, Scope.ADMIN)
    submit(edge, 1, client=id_in(owner))
    submit(edge, 2, client=id_in(owner))
    refused = await edge.http.delete("/jobs/1-1", headers=other)
    assert refused.status_code == 403
    assert (await edge.http.get("/jobs/1-1", headers=other)).json()["client"] is None
    assert (await edge.http.get("/jobs/1-1", headers=owner)).json()["client"] == id_in(owner)
    assert (await edge.http.delete("/jobs/1-1", headers=owner)).status_code == 204
    assert (await edge.http.delete("/jobs/1-2", headers=admin)).status_code == 204


async def test_the_queue_status_has_the_documented_shape(edge: Edge) -> None:
    ready = AgentState.READY
    edge.report = HubReport(
        agents=(
            AgentInfo("v", AgentKind.VISION, "primary", "vllm", ready, model="Qwen2.5-VL"),
            AgentInfo("i", AgentKind.IMAGE_GEN, "primary", "diffusers", ready, model="Flux-Dev"),
            AgentInfo("p", AgentKind.PLANNER, "primary", "vllm", ready, model="Qwen2.5"),
        )
    )
    submit(edge, 1)
    submit(edge, 2)
    submit(edge, 3, model="llava")
    submit(edge, 4, agent=AgentKind.IMAGE_GEN)
    edge.jobs.book.began(2, "v", 0)
    body = (await edge.http.get("/queue-status")).json()
    assert body["queues"] == {
        "Qwen2.5": {"pending_requests": 0, "priority": 1},
        "Flux-Dev": {"pending_requests": 1, "priority": 2},
        "Qwen2.5-VL": {"pending_requests": 1, "priority": 3},
        "llava": {"pending_requests": 1, "priority": 3},
    }
    assert set(body["system"]) == {"cpu_percent", "memory_percent", "timestamp"}


async def test_the_numbers_of_jobs_are_among_the_metrics(edge: Edge) -> None:
    submit(edge, 1)
    submit(edge, 2)
    edge.jobs.book.began(2, "v", 3 * S)
    edge.jobs.book.ended(2, JobEnd.DONE, "", 4 * S)
    submit(edge, 3)
    edge.jobs.book.ended(3, JobEnd.SHED, "busy", 4 * S)
    edge.report = HubReport(jobs=edge.jobs.book.numbers, long_work_held=True)
    text = (await edge.http.get("/metrics")).text
    for line in (
        'hub_jobs{class="interactive",state="queued"} 1.0',
        'hub_jobs_ended_total{class="interactive",end="done"} 1.0',
        'hub_jobs_ended_total{class="interactive",end="shed"} 1.0',
        'hub_job_wait_seconds_bucket{class="interactive",le="2.0"} 0.0',
        'hub_job_wait_seconds_bucket{class="interactive",le="5.0"} 1.0',
        "hub_long_work_held 1.0",
    ):
        assert line in text.splitlines()


def test_the_machine_is_read_as_the_kernel_tells_it(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n")
    stat = "cpu {} 0 0 {} 0 0 0 0 0 0\ncpu0 1 1 1 1\n"
    (tmp_path / "stat").write_text(stat.format(100, 100))
    machine = Machine(tmp_path)
    assert machine.read() == Use(50.0, 75.0)
    (tmp_path / "stat").write_text(stat.format(125, 175))
    assert machine.read().cpu_percent == 25.0
    assert machine.read().cpu_percent == 0.0


def test_a_machine_that_tells_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    assert Machine(tmp_path).read() == Use(None, None)
