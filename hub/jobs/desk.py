"""Where requests for jobs are taken: each is given to an agent, joined to its answer, and cancelled
down to the agent if nobody waits for it any more."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from hub.counters import Counters
from hub.errors import Busy, JobError, JobTimeout
from hub.jobs.admission import AgentView, JobLimits, PlanAdmission
from hub.jobs.blobs import BlobPost, ResultTooLarge, fetch
from hub.jobs.dispatch import Dispatch, Registry
from hub.jobs.job import PRIMARY, REFLEX, Bounds, JobClass
from hub.jobs.orders import ANSWERS, RESULT_BYTES, Caller, JobFact, JobOrder, refs_of
from hub.jobs.records import JobNumbers, JobRecord
from hub.jobs.speech import SpeechJoin
from hub.jobs.work import Work
from protocols.bus import HubBus
from protocols.envelope import AnyEnvelope, Message
from protocols.messages.agent import AgentKind, AgentProgress, AgentReady
from protocols.messages.audio import SpeechChunk
from protocols.messages.blob import BlobPart, BlobTaken, BlobWanted
from protocols.messages.image import ImageProgress
from protocols.messages.job import JobDone, JobFailed, PlanDone, PlanRequest, SpeakRequest
from protocols.messages.model import ModelLoad, ModelState, ModelUnload
from protocols.messages.speech import SpeechCredit

FALLBACK_DEADLINE_S = 1.0
SPEECH_WAIT_S = 10.0
"""Longest wait for the next audio of a job whose reader waits for it."""
STRAGGLERS_S = 0.5
"""How long chunks may come after the end was announced."""


class JobDesk:
    """Every request with an answer. All state is of jobs that are being waited for, and records of
    those that were."""

    def __init__(
        self,
        bus: HubBus,
        registry: Registry,
        limits: JobLimits = JobLimits(),  # noqa: B008 - frozen
        counters: Counters | None = None,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    ) -> None:
        self._registry = registry
        self._limits = limits
        self._counters = counters or Counters()
        self._dispatch = Dispatch(bus, registry, limits, self._counters, bounds)
        self._post = BlobPost(bus, self._dispatch.tell)
        self._plans = Counter[str]()
        facts: tuple[type[Message], ...] = (PlanDone, JobDone, JobFailed, BlobWanted, *ANSWERS)
        for message in facts:
            bus.subscribe(message, self._on_fact)
        bus.subscribe(SpeechChunk, self._on_chunk)
        bus.subscribe(BlobPart, self._on_part)
        bus.subscribe(AgentProgress, self._on_progress)
        bus.subscribe(AgentReady, self._on_agent)
        bus.subscribe(ModelState, self._on_agent)

    @property
    def plan_admission(self) -> PlanAdmission:
        """Numbers of the plan gate."""
        agent = self._registry.pick(AgentKind.PLANNER, PRIMARY)
        most = self._limits.plan_max_inflight
        return PlanAdmission(
            max_inflight=self._dispatch.plan_slots(agent) if agent else most,
            inflight=self._plans["inflight"],
            admitted=self._plans["admitted"],
            rejected=self._plans["rejected"],
        )

    @property
    def numbers(self) -> JobNumbers:
        """All jobs, counted."""
        return self._dispatch.book.numbers

    @property
    def waited_for(self) -> int:
        """How many jobs somebody waits for."""
        return len(self._dispatch.works)

    def now(self) -> int:
        """The time that records are in, in nanoseconds."""
        return self._dispatch.now()

    def records(self) -> list[JobRecord]:
        """Jobs under way, then those that ended lately, the latest first."""
        return self._dispatch.book.all(self._dispatch.now())

    def record(self, job_id: str) -> JobRecord | None:
        """What is known of a job."""
        return self._dispatch.book.find(job_id, self._dispatch.now())

    def cancel(self, job_id: str) -> bool:
        """End a job that somebody waits for; False if there is none of this id."""
        return self._dispatch.cancel(job_id)

    def peer_lost(self, instance: str) -> None:
        """An agent is gone: its jobs begin anew or fail now instead of at their deadline."""
        self._dispatch.lost(instance)

    def answering(self, robot: str, instances: tuple[str, ...]) -> None:
        """A robot is being answered by these agents; by none: no more."""
        self._dispatch.answering(robot, instances)

    async def run(self, order: JobOrder) -> AsyncGenerator[JobFact, None]:
        """What a job tells, until it is done; closing the generator cancels it down to the engine.
        Progress may begin anew: a job of which nothing else was told may have to.

        Raises:
            Busy: more of its class wait than may.
            JobTimeout: it was not done by its deadline.
            AgentMissing, ModelMissing: nobody can do it, or whoever did was lost.
            JobError: it failed; the code is its agent's.
        """
        with self._dispatch.taken(order) as work:
            while True:
                while work.facts:
                    yield await self._joined(work, work.facts.popleft())
                if work.failure is not None:
                    raise work.failure
                if work.ended:
                    return
                await self._news(work)

    async def plan(self, world: dict[str, Any], deadline_s: float, client: str = "") -> PlanDone:
        """A plan for a world state, asked for by ``client``; where ``PLAN_FALLBACK`` says so, from the
        reflex planner if the chosen one fails.

        Raises:
            Busy: the planner has as many plans as it may have.
            JobTimeout: it did not answer in ``deadline_s``.
            AgentMissing: there is none, or it was lost.
            JobError: it failed; the code is its own.
        """
        try:
            return await self._plan_by(PRIMARY, world, deadline_s, client)
        except Busy:
            self._plans["rejected"] += 1
            raise
        except JobError as error:
            if not self._limits.plan_falls_back:
                raise
            self._counters.count(f"plans_fallen_back.{error.code}")
            return await self._plan_by(REFLEX, world, FALLBACK_DEADLINE_S, client)

    async def _plan_by(
        self, role: str, world: dict[str, Any], deadline_s: float, client: str
    ) -> PlanDone:
        caller = Caller(client, str(world.get("robot_id", "")), JobClass.PLAN, deadline_s=0)
        order = JobOrder(AgentKind.PLANNER, PlanRequest(world=world), caller, role)
        with self._dispatch.taken(order) as work, self._counted_plan():
            try:
                async with asyncio.timeout(deadline_s):
                    while not work.ended:
                        work.changed.clear()
                        await work.changed.wait()
            except TimeoutError:
                raise JobTimeout(f"no plan within {deadline_s:g} s") from None
            if work.failure is not None:
                raise work.failure
            if work.answer is None:
                raise JobError("the planner ended the job without a plan", "llm_error")
            return work.answer

    async def speak(
        self, request: SpeakRequest, robot: str = "", client: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """Audio of a text as it is made, asked for by ``client``; closing the generator cancels the
        job.

        Raises:
            Busy, JobTimeout, AgentMissing, JobError: as ``plan``, before or between chunks.
        """
        caller = Caller(client, robot, JobClass.SPEECH, deadline_s=0)
        with self._dispatch.taken(JobOrder(AgentKind.TTS, request, caller)) as work:
            join = work.speech = SpeechJoin(request.rate_hz)
            while True:
                self._grant(work, join)
                pcm = join.read()
                if pcm:
                    yield pcm
                elif work.failure is not None:
                    raise work.failure
                elif join.complete:
                    break
                else:
                    await self._await_speech(work, join)
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
        with self._dispatch.direct(agent, order) as work:
            progress = work.progress = deque()
            while progress or not work.ended:
                if progress:
                    yield progress.popleft()
                    continue
                work.changed.clear()
                await work.changed.wait()
            if work.failure is not None:
                raise work.failure

    async def _joined(self, work: Work, fact: Message) -> JobFact:
        """A fact with the bytes that it names."""
        refs = tuple(refs_of(fact))
        if not refs:
            return JobFact(fact)
        if sum(ref.size_bytes for ref in refs) > RESULT_BYTES:
            raise ResultTooLarge(f"a job may bring back {RESULT_BYTES} bytes")
        tell = self._dispatch.tell
        blobs = [await fetch(work, ref, tell, self._news) for ref in refs]
        if not work.ended:
            tell(work, BlobTaken())
        return JobFact(fact, tuple(blobs))

    async def _news(self, work: Work, within_s: float | None = None) -> bool:
        """Wait for news of a job; False if none came ``within_s``.

        Raises:
            JobTimeout: its deadline has come.
        """
        deadline_s = work.job.deadline_ns / 1e9 or None
        work.changed.clear()
        try:
            async with asyncio.timeout_at(deadline_s):
                try:
                    async with asyncio.timeout(within_s) if within_s else nullcontext():
                        await work.changed.wait()
                except TimeoutError:
                    return False
        except TimeoutError:
            raise JobTimeout("the job was not done by its deadline") from None
        return True

    async def _await_speech(self, work: Work, join: SpeechJoin) -> None:
        work.changed.clear()
        try:
            async with asyncio.timeout(STRAGGLERS_S if join.ending else SPEECH_WAIT_S):
                await work.changed.wait()
        except TimeoutError:
            if not join.ending:
                raise JobTimeout(f"no speech within {SPEECH_WAIT_S:g} s") from None
            join.give_up()

    def _grant(self, work: Work, join: SpeechJoin) -> None:
        until_ms = join.grant()
        if until_ms is not None and not work.ended:
            self._dispatch.tell(work, SpeechCredit(until_ms=until_ms))

    @contextmanager
    def _counted_plan(self) -> Iterator[None]:
        self._plans["admitted"] += 1
        self._plans["inflight"] += 1
        try:
            yield
        finally:
            self._plans["inflight"] -= 1

    def _on_agent(self, envelope: AnyEnvelope, _: bytes) -> None:
        self._dispatch.schedule()

    def _on_chunk(self, envelope: AnyEnvelope, blob: bytes) -> None:
        if not envelope.job:
            return
        work = self._dispatch.works.at(envelope.job, envelope.src)
        assert isinstance(envelope.body, SpeechChunk)
        if work is None or work.speech is None:
            self._counters.count("speech_chunks.of_no_job")
        elif work.speech.feed(envelope.body.first_sample, bytes(blob)):
            work.changed.set()
        else:
            self._counters.count("speech_chunks.refused")

    def _on_part(self, envelope: AnyEnvelope, blob: bytes) -> None:
        part = envelope.body
        assert isinstance(part, BlobPart)
        work = self._dispatch.works.at(envelope.job, envelope.src)
        if work is None or work.awaited != (part.index, part.offset) or work.part is not None:
            self._counters.count("blob_parts.not_asked_for")
            return
        work.part = bytes(blob)
        work.changed.set()

    def _on_progress(self, envelope: AnyEnvelope, _: bytes) -> None:
        assert isinstance(envelope.body, AgentProgress)
        for work in self._dispatch.works.of(envelope.src):
            if work.progress is not None:
                work.progress.append(envelope.body)
                work.changed.set()

    def _on_fact(self, envelope: AnyEnvelope, blob: bytes) -> None:
        if not envelope.job:
            return
        work = self._dispatch.works.at(envelope.job, envelope.src)
        if work is None or work.ended:
            self._counters.count("job_facts.of_no_job")
            return
        match envelope.body:
            case PlanDone() as answer:
                work.answer = answer
                self._dispatch.ended(work)
            case JobFailed(code=code, detail=detail):
                self._dispatch.ended(work, JobError(detail or code, code))
            case JobDone(samples=samples):
                if work.speech is not None:
                    work.speech.end(samples)
                self._dispatch.ended(work)
            case BlobWanted(index=index, offset=offset):
                self._post.wanted(work, index, offset)
            case fact if self._dispatch.works.is_scheduled(work):
                self._answered(work, fact)
            case _:  # a change of a model has an end, and no answer
                self._counters.count("job_facts.of_no_job")

    def _answered(self, work: Work, fact: Message) -> None:
        if isinstance(fact, ImageProgress):
            self._dispatch.book.told(work.job.number, min(1.0, fact.step / max(1, fact.steps)))
        else:
            self._dispatch.sent(work)
        if not work.tell(fact):
            self._dispatch.ended(work, ResultTooLarge("the job tells more text than it may"))
