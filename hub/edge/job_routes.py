"""``GET /jobs``, ``GET`` and ``DELETE /jobs/{id}``, ``GET /queue-status``: what waits, what runs,
what became of it. No prompt, answer or picture is in them."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.documented import refusals
from hub.edge.grants import grant_of, may_end_job
from hub.edge.http_errors import answer
from hub.edge.services import EdgeServices
from hub.errors import NotAuthorised
from hub.jobs.admission import AgentView
from hub.jobs.records import JobRecord
from hub.machine import Machine
from hub.store.tokens import Scope
from protocols.errors import HubError
from protocols.messages.agent import AgentKind, AgentState

SHOWN_JOBS = 200
"""Longest list; jobs under way come first."""

ClassName = Literal["speech", "plan", "interactive", "image", "batch"]
JobId = Annotated[str, StringConstraints(max_length=40)]

_QUEUES = (AgentKind.PLANNER, AgentKind.IMAGE_GEN, AgentKind.VISION, AgentKind.MEMORY)
"""Kinds that jobs wait for, in the order of their models in ``/queue-status``."""


class JobBody(BaseModel):
    """A job. Times are seconds: how long ago it came, how long it waited and ran. ``progress`` is
    how much of what it makes now is made, 0 to 1, where it tells."""

    id: str
    request: str
    agent: str
    job_class: str
    state: str
    client: str | None
    robot: str
    model: str
    instance: str
    age_s: float
    waited_s: float
    ran_s: float
    requeues: int
    code: str
    progress: float | None = None


class JobsBody(BaseModel):
    """Answer of ``GET /jobs``."""

    jobs: list[JobBody]


class ErrorBody(BaseModel):
    """The shape of errors."""

    error: str
    detail: str


class QueueBody(BaseModel):
    """What waits for a model; queues of lower ``priority`` go first."""

    pending_requests: int
    priority: int


class SystemBody(BaseModel):
    """The machine."""

    cpu_percent: float | None
    memory_percent: float | None
    timestamp: str


class QueueStatusBody(BaseModel):
    """Answer of ``GET /queue-status``."""

    queues: dict[str, QueueBody]
    system: SystemBody


class UnknownJob(HubError):
    """There is no job of this id, or it ended too long ago."""

    code = "unknown_job"


class JobOver(HubError):
    """The job has ended; nothing can be cancelled."""

    code = "job_over"


def job_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["jobs"])
    machine = Machine()
    refused = refusals(ErrorBody)
    unknown = refusals(ErrorBody, s404="There is no such job, or it ended too long ago.")

    @router.get("/jobs", responses=refused)
    async def jobs(request: Request, job_class: ClassName | None = None) -> JobsBody:
        """Jobs under way, then those that ended in the last ten minutes, the latest first; of all
        classes or of one."""
        records = services.jobs.records()
        found = [r for r in records if job_class in (None, r.job.job_class.name.lower())]
        return JobsBody(jobs=[_shown(services, request, r) for r in found[:SHOWN_JOBS]])

    @router.get("/jobs/{job_id}", response_model=JobBody, responses=unknown)
    async def job(job_id: JobId, request: Request) -> JobBody | Response:
        """One job."""
        record = services.jobs.record(job_id)
        if record is None:
            return answer(UnknownJob(f"there is no job {job_id!r}"), 404)
        return _shown(services, request, record)

    @router.delete(
        "/jobs/{job_id}",
        status_code=204,
        response_class=Response,
        responses={**unknown, 409: {"model": ErrorBody, "description": "It has ended."}},
    )
    async def cancel(job_id: JobId, request: Request) -> Response:
        """Cancel a job of one's own, or, as an administrator, any. Whoever waits for it is told."""
        record = services.jobs.record(job_id)
        if record is None:
            return answer(UnknownJob(f"there is no job {job_id!r}"), 404)
        if not may_end_job(request, record.job.client):
            raise NotAuthorised("the job is somebody else's")
        if not services.jobs.cancel(job_id):
            return answer(JobOver(f"job {job_id} has ended"), 409)
        return Response(status_code=204)

    @router.get("/queue-status", responses=refused)
    async def queue_status() -> QueueStatusBody:
        """What waits for each model, and how busy the machine is."""
        return queue_status_of(services, machine)

    return router


def queue_status_of(services: EdgeServices, machine: Machine) -> QueueStatusBody:
    """``GET /queue-status``."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return QueueStatusBody(
        queues=_queues(services.agents(), services.jobs.records()),
        system=SystemBody(**machine.read()._asdict(), timestamp=now),
    )


def _shown(services: EdgeServices, request: Request, record: JobRecord) -> JobBody:
    """A record for the outside. Whose job it is, is told to its owner and to administrators."""
    grant, job, now = grant_of(request), record.job, services.jobs.now()
    knows = grant.scope is Scope.ADMIN or grant.id == job.client
    until = record.ended_ns or now
    began = record.began_ns or until
    return JobBody(
        id=record.id,
        request=record.request,
        agent=job.agent.value,
        job_class=job.job_class.name.lower(),
        state=record.state,
        client=job.client if knows else None,
        robot=job.robot,
        model=job.model,
        instance=record.instance,
        age_s=_seconds(now - record.submitted_ns),
        waited_s=_seconds(began - record.submitted_ns),
        ran_s=_seconds(until - began),
        requeues=record.requeues,
        code=record.code,
        progress=record.progress,
    )


def _queues(agents: tuple[AgentView, ...], records: list[JobRecord]) -> dict[str, QueueBody]:
    """Jobs that wait, by the model that does them; those that name none wait for the model that
    agents of their kind hold."""
    held: dict[AgentKind, str] = {}
    found: dict[str, tuple[int, int]] = {}
    for priority, kind in enumerate(_QUEUES, 1):
        ready = [a for a in agents if a.kind is kind and a.state is AgentState.READY]
        for agent in sorted(ready, key=lambda a: (a.role != "primary", a.instance)):
            model = agent.model or agent.backend or kind.value
            held.setdefault(kind, model)
            found.setdefault(model, (priority, 0))
    for record in records:
        if record.state == "queued":
            kind = record.job.agent
            model = record.job.model or held.get(kind, kind.value)
            order = _QUEUES.index(kind) + 1 if kind in _QUEUES else len(_QUEUES) + 1
            priority, pending = found.get(model, (order, 0))
            found[model] = priority, pending + 1
    return {
        model: QueueBody(pending_requests=pending, priority=priority)
        for model, (priority, pending) in sorted(found.items(), key=lambda item: item[1][0])
    }


def _seconds(ns: int) -> float:
    return round(max(0, ns) / 1e9, 3)
