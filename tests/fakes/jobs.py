"""Jobs that answer from a script."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from hub.errors import JobError
from hub.jobs.admission import AgentView, PlanAdmission
from hub.jobs.job import JobEnd
from hub.jobs.orders import JobFact, JobOrder
from hub.jobs.records import JobBook, JobRecord
from protocols.envelope import Message
from protocols.messages.agent import AgentProgress
from protocols.messages.job import PlanDone, SpeakRequest
from protocols.messages.model import ModelLoad, ModelUnload


class FakeJobs:
    """A ``Jobs``: ``plan_result`` and ``speech`` are what it gives; an error among them is raised;
    ``None`` in ``speech`` waits until the job is cancelled."""

    def __init__(self) -> None:
        self.plan_result: PlanDone | JobError | None = PlanDone(actions=())
        self.speech: list[bytes | JobError | None] = [b"\x01\x00" * 160]
        self.worlds: list[dict[str, Any]] = []
        self.requests: list[SpeakRequest] = []
        self.askers: list[str] = []
        """Who asked for plans and speech, in their order."""
        self.model_progress: list[AgentProgress | JobError | None] = []
        """What a change of model tells; as ``speech``."""
        self.orders: list[tuple[str, ModelLoad | ModelUnload]] = []
        self.begun = asyncio.Event()
        """A job of ``run`` has begun."""
        self.cancelled = asyncio.Event()
        self.plan_admission = PlanAdmission(max_inflight=1)
        self.facts: list[JobFact | JobError | None] = []
        """What any other job tells; as ``speech``."""
        self.answers: dict[type[Message], list[JobFact | JobError | None]] = {}
        """What a job tells whose request is of this class, in place of ``facts``."""
        self.wanted: list[JobOrder] = []
        self.book = JobBook(boot=1)
        self.time_ns = 0

    async def plan(self, world: dict[str, Any], deadline_s: float, client: str = "") -> PlanDone:
        self.worlds.append(world)
        self.askers.append(client)
        if isinstance(self.plan_result, JobError):
            raise self.plan_result
        if self.plan_result is None:
            await self._hang()
        assert self.plan_result is not None
        return self.plan_result

    async def speak(
        self, request: SpeakRequest, robot: str = "", client: str = ""
    ) -> AsyncGenerator[bytes, None]:
        self.requests.append(request)
        self.askers.append(client)
        for item in self.speech:
            if isinstance(item, JobError):
                raise item
            if item is None:
                await self._hang()
            else:
                yield item

    async def change_model(
        self, agent: AgentView, order: ModelLoad | ModelUnload
    ) -> AsyncGenerator[AgentProgress, None]:
        self.orders.append((agent.instance, order))
        for item in self.model_progress:
            if isinstance(item, JobError):
                raise item
            if item is None:
                await self._hang()
            else:
                yield item

    async def run(self, order: JobOrder) -> AsyncGenerator[JobFact, None]:
        self.wanted.append(order)
        self.begun.set()
        for item in self.answers.get(type(order.request), self.facts):
            if isinstance(item, JobError):
                raise item
            if item is None:
                await self._hang()
            else:
                yield item

    def now(self) -> int:
        return self.time_ns

    def records(self) -> list[JobRecord]:
        return self.book.all(self.time_ns)

    def record(self, job_id: str) -> JobRecord | None:
        return self.book.find(job_id, self.time_ns)

    def cancel(self, job_id: str) -> bool:
        record = self.record(job_id)
        if record is None or record.state not in ("queued", "running"):
            return False
        self.book.ended(record.job.number, JobEnd.CANCELLED, "job_cancelled", self.time_ns)
        return True

    async def _hang(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
