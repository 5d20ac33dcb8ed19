"""Jobs: admitted or refused at once, sent to an agent, joined to an answer, cancelled down to it."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.counters import Counters
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.admission import AgentView, JobLimits, PlanAdmission, slots
from hub.jobs.speech import SpeechJoin
from protocols.bus import HubBus
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import UnknownPeer
from protocols.messages.agent import AgentKind, AgentProgress
from protocols.messages.audio import SpeechChunk
from protocols.messages.job import (
    JobCancel,
    JobDone,
    JobFailed,
    PlanDone,
    PlanRequest,
    SpeakRequest,
)
from protocols.messages.model import ModelLoad, ModelUnload
from protocols.messages.speech import SpeechCredit

PRIMARY, REFLEX = "primary", "reflex"
FALLBACK_DEADLINE_S = 1.0
SPEECH_WAIT_S = 10.0
"""Longest wait for the next audio of a job whose reader waits for it."""
STRAGGLERS_S = 0.5
"""How long chunks may come after the end was announced."""


class Registry(Protocol):
    """What the desk asks of the registry of agents."""

    def pick(self, kind: AgentKind, role: str | None = None) -> AgentView | None:
        """The instance that takes the next piece of work, None if there is none."""


@dataclass
class _Job:
    number: int
    robot: str
    instance: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    speech: SpeechJoin | None = None
    answer: PlanDone | None = None
    failure: JobError | None = None
    progress: deque[AgentProgress] | None = None
    ended: bool = False


class JobDesk:
    """Plan, speak and model jobs. All state is of jobs that are being waited for."""

    def __init__(
        self,
        bus: HubBus,
        registry: Registry,
        limits: JobLimits = JobLimits(),  # noqa: B008 - frozen
        counters: Counters | None = None,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._limits = limits
        self._counters = counters or Counters()
        self._jobs: dict[int, _Job] = {}
        # Agents outlive a hub: no number of this run may be one of an earlier run.
        self._last = bus.boot << 32
        self._inflight: Counter[str] = Counter()
        self._plans = Counter[str]()
        for message in (PlanDone, JobDone, JobFailed):
            bus.subscribe(message, self._on_fact)
        bus.subscribe(SpeechChunk, self._on_chunk)
        bus.subscribe(AgentProgress, self._on_progress)

    @property
    def plan_admission(self) -> PlanAdmission:
        """Numbers of the plan gate."""
        agent = self._registry.pick(AgentKind.PLANNER, PRIMARY)
        return PlanAdmission(
            max_inflight=self._slots(agent) if agent else self._limits.plan_max_inflight,
            inflight=self._plans["inflight"],
            admitted=self._plans["admitted"],
            rejected=self._plans["rejected"],
        )

    def peer_lost(self, instance: str) -> None:
        """An agent is gone: its jobs fail now instead of at their deadline."""
        for job in self._jobs.values():
            if job.instance == instance:
                self._end(job, AgentMissing("the agent was lost while it did the job"))

    async def plan(self, world: dict[str, Any], deadline_s: float) -> PlanDone:
        """A plan for a world state; where ``PLAN_FALLBACK`` says so, from the reflex planner if
        the chosen one fails.

        Raises:
            Busy: the planner has as many plans as it may have.
            JobTimeout: it did not answer in ``deadline_s``.
            AgentMissing: there is none, or it was lost.
            JobError: it failed; the code is its own.
        """
        try:
            return await self._plan_by(PRIMARY, world, deadline_s)
        except Busy:
            self._plans["rejected"] += 1
            raise
        except JobError as error:
            if not self._limits.plan_falls_back:
                raise
            self._counters.count(f"plans_fallen_back.{error.code}")
            return await self._plan_by(REFLEX, world, FALLBACK_DEADLINE_S)

    async def _plan_by(self, role: str, world: dict[str, Any], deadline_s: float) -> PlanDone:
        robot = str(world.get("robot_id", ""))
        agent = self._pick(AgentKind.PLANNER, role)
        with self._admitted(agent, robot) as job, self._counted_plan():
            self._send(job, PlanRequest(world=world))
            try:
                async with asyncio.timeout(deadline_s):
                    await self._until_ended(job)
            except TimeoutError:
                raise JobTimeout(f"no plan within {deadline_s:g} s") from None
            if job.failure is not None:
                raise job.failure
            if job.answer is None:
                raise JobError("the planner ended the job without a plan", "llm_error")
            return job.answer

    async def speak(self, request: SpeakRequest, robot: str = "") -> AsyncGenerator[bytes, None]:
        """Audio of a text as it is made; closing the generator cancels the job.

        Raises:
            Busy, JobTimeout, AgentMissing, JobError: as ``plan``, before or between chunks.
        """
        agent = self._pick(AgentKind.TTS)
        with self._admitted(agent, robot) as job:
            join = job.speech = SpeechJoin(request.rate_hz)
            self._send(job, request)
            while True:
                self._grant(job, join)
                pcm = join.read()
                if pcm:
                    yield pcm
                elif job.failure is not None:
                    raise job.failure
                elif join.complete:
                    break
                else:
                    await self._await_speech(job, join)
            if join.lost_samples:
                self._counters.count("speak_samples.lost", join.lost_samples)

    async def change_model(
        self, agent: AgentView, order: ModelLoad | ModelUnload
    ) -> AsyncGenerator[AgentProgress, None]:
        """What ``agent`` tells while it carries out ``order``, until it has; closing the generator
        cancels the job. It takes no slot: its engine decides how many loads there may be.

        Raises:
            AgentMissing, JobError: as ``plan``.
        """
        with self._registered(agent, "") as job:
            progress = job.progress = deque()
            self._send(job, order)
            while progress or not job.ended:
                if progress:
                    yield progress.popleft()
                    continue
                job.changed.clear()
                await job.changed.wait()
            if job.failure is not None:
                raise job.failure

    async def _await_speech(self, job: _Job, join: SpeechJoin) -> None:
        job.changed.clear()
        try:
            async with asyncio.timeout(STRAGGLERS_S if join.ending else SPEECH_WAIT_S):
                await job.changed.wait()
        except TimeoutError:
            if not join.ending:
                raise JobTimeout(f"no speech within {SPEECH_WAIT_S:g} s") from None
            join.give_up()

    async def _until_ended(self, job: _Job) -> None:
        while not job.ended:
            job.changed.clear()
            await job.changed.wait()

    def _grant(self, job: _Job, join: SpeechJoin) -> None:
        until_ms = join.grant()
        if until_ms is not None and not job.ended:
            self._send(job, SpeechCredit(until_ms=until_ms))

    def _pick(self, kind: AgentKind, role: str = PRIMARY) -> AgentView:
        agent = self._registry.pick(kind, role)
        if agent is None:
            raise AgentMissing(f"no {kind.value} is ready")
        return agent

    def _slots(self, agent: AgentView) -> int:
        sheds = "fallback" in agent.info
        return slots(agent.kind, agent.backend, agent.capacity, self._limits, sheds=sheds)

    @contextmanager
    def _admitted(self, agent: AgentView, robot: str) -> Iterator[_Job]:
        """A job in one of the agent's slots; cancelled, if it has not ended, when left."""
        if self._inflight[agent.instance] >= self._slots(agent):
            self._counters.count(f"jobs_refused.{agent.kind.value}_busy")
            raise Busy(f"{agent.kind.value} overloaded; retry shortly")
        self._inflight[agent.instance] += 1
        try:
            with self._registered(agent, robot) as job:
                yield job
        finally:
            self._inflight[agent.instance] -= 1

    @contextmanager
    def _registered(self, agent: AgentView, robot: str) -> Iterator[_Job]:
        """A job that facts can find; cancelled, if it has not ended, when left."""
        self._last += 1
        job = _Job(self._last, robot, agent.instance)
        self._jobs[job.number] = job
        try:
            yield job
        finally:
            del self._jobs[job.number]
            if not job.ended:
                self._cancel(job)

    @contextmanager
    def _counted_plan(self) -> Iterator[None]:
        self._plans["admitted"] += 1
        self._plans["inflight"] += 1
        try:
            yield
        finally:
            self._plans["inflight"] -= 1

    def _send(self, job: _Job, message: Message) -> None:
        envelope = Envelope(robot=job.robot, job=job.number, body=message)
        try:
            self._bus.send(job.instance, envelope)
        except UnknownPeer as error:
            job.ended = True
            raise AgentMissing(str(error)) from error

    def _cancel(self, job: _Job) -> None:
        self._counters.count("jobs.cancelled")
        try:
            self._send(job, JobCancel(reason="nobody waits for it"))
        except AgentMissing:
            return

    def _end(self, job: _Job, failure: JobError | None = None) -> None:
        job.failure = failure
        job.ended = True
        job.changed.set()

    def _on_chunk(self, envelope: AnyEnvelope, blob: bytes) -> None:
        if not envelope.job:
            return
        job = self._jobs.get(envelope.job)
        assert isinstance(envelope.body, SpeechChunk)
        if job is None or job.speech is None or not self._is_from(job, envelope):
            self._counters.count("speech_chunks.of_no_job")
        elif job.speech.feed(envelope.body.first_sample, bytes(blob)):
            job.changed.set()
        else:
            self._counters.count("speech_chunks.refused")

    def _on_progress(self, envelope: AnyEnvelope, _: bytes) -> None:
        assert isinstance(envelope.body, AgentProgress)
        for job in self._jobs.values():
            if job.progress is not None and self._is_from(job, envelope):
                job.progress.append(envelope.body)
                job.changed.set()

    def _on_fact(self, envelope: AnyEnvelope, blob: bytes) -> None:
        job = self._jobs.get(envelope.job)
        if job is None or not self._is_from(job, envelope):
            self._counters.count("job_facts.of_no_job")
            return
        match envelope.body:
            case PlanDone() as answer:
                job.answer = answer
                self._end(job)
            case JobFailed(code=code, detail=detail):
                self._end(job, JobError(detail or code, code))
            case JobDone(samples=samples):
                if job.speech is not None:
                    job.speech.end(samples)
                self._end(job)

    def _is_from(self, job: _Job, envelope: AnyEnvelope) -> bool:
        return envelope.src == job.instance
