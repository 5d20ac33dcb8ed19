"""The shell of the scheduler: gives jobs to agents as it decides, and tells it what became of them."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from hub.counters import Counters
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.admission import AgentView, JobLimits, plan_slots, slots
from hub.jobs.job import Bounds, Job, JobClass, JobEnd, Offer
from hub.jobs.models import ModelMissing
from hub.jobs.orders import JobOrder
from hub.jobs.placing import could
from hub.jobs.records import JobBook
from hub.jobs.scheduler import Again, ChangeModel, Effect, Effects, Over, Scheduler, Start
from hub.jobs.work import Work, Works
from protocols.bus import HubBus
from protocols.envelope import Envelope, Message
from protocols.errors import FrameTooLarge, UnknownPeer
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.job import JobCancel
from protocols.messages.model import ModelLoad
from protocols.topics import topic_name

CHANGE_LIMIT_S = 900.0
"""Longest wait for a model that is loaded for a job."""
_ANSWERING_ROBOTS = frozenset({AgentKind.STT, AgentKind.PLANNER, AgentKind.TTS})
_LOST = "the agent was lost while it did the job"


class Registry(Protocol):
    """What the desk asks of the registry of agents."""

    def pick(self, kind: AgentKind, role: str | None = None) -> AgentView | None:
        """The instance that takes the next piece of work, None if there is none."""

    def agents(self) -> Iterable[AgentView]:
        """Every linked instance."""


class Cancelled(JobError):
    """Somebody cancelled the job who was not waiting for it."""

    code = "job_cancelled"


class Dispatch:
    """Holds every job that somebody waits for. All methods run on the hub's loop."""

    def __init__(
        self,
        bus: HubBus,
        registry: Registry,
        limits: JobLimits,
        counters: Counters,
        bounds: Bounds,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._limits = limits
        self._counters = counters
        self._scheduler = Scheduler(bounds)
        self.works = Works()
        self.book = JobBook(bus.boot)
        # Agents outlive a hub: no number of this run may be one of an earlier run.
        self._last = bus.boot << 32
        self._answered: dict[str, tuple[str, ...]] = {}
        self._loaded: dict[str, str] = {}
        """Models that agents have loaded for jobs, by the name they were asked for."""

    @contextmanager
    def taken(self, order: JobOrder) -> Iterator[Work]:
        """A job of the scheduler; over, however it is left: at its agent, too.

        Raises:
            Busy: too much waits already, or it may not wait and there is no room.
            AgentMissing: nobody who could do it is there.
            ModelMissing: nobody has its model, or may load it.
        """
        work = self._submit(order)
        end = JobEnd.CANCELLED
        code = ""
        try:
            yield work
            end = JobEnd.DONE
        except JobError as error:
            code = error.code
            end = JobEnd.EXPIRED if isinstance(error, JobTimeout) else JobEnd.FAILED
            raise
        finally:
            self._leave(work, end, code)

    @contextmanager
    def direct(self, agent: AgentView, request: Message) -> Iterator[Work]:
        """An order that takes no slot and does not wait; cancelled, if it has not ended, when left.

        Raises:
            AgentMissing: the agent is not linked any more.
        """
        self._loaded.pop(agent.instance, None)
        work = Work(Job(self._next(), agent.kind, JobClass.BATCH), request)
        self.works.give(work, agent.instance, work.job.number)
        try:
            self.tell(work, request)
            yield work
        finally:
            self.works.remove(work)
            if not work.ended:
                self._stop(work)

    def tell(self, work: Work, message: Message) -> None:
        """Send a command of a job to the agent that does it.

        Raises:
            AgentMissing: the agent is not linked any more.
        """
        envelope = Envelope(robot=work.job.robot, job=work.wire, body=message)
        try:
            self._bus.send(work.instance, envelope)
        except UnknownPeer as error:
            raise AgentMissing(str(error)) from error

    def sent(self, work: Work) -> None:
        """Something of the job's answer has come: it cannot begin anew."""
        self._scheduler.sent(work.job.number)

    def ended(self, work: Work, failure: JobError | None = None) -> None:
        """The agent says that it is done, or why it could not be."""
        if not self.works.is_scheduled(work):
            work.end(failure)
        elif not work.ended:
            self._close(work, JobEnd.DONE if failure is None else JobEnd.FAILED, failure)
            self.schedule()

    def cancel(self, job_id: str) -> bool:
        """End a job that somebody else waits for; False if there is none of this id."""
        for work in self.works.all():
            if self.book.id_of(work.job.number) == job_id and not work.ended:
                self._close(work, JobEnd.CANCELLED, Cancelled("the job was cancelled"))
                self._stop(work)
                self.schedule()
                return True
        return False

    def lost(self, instance: str) -> None:
        """An agent is gone: its jobs begin anew elsewhere, or fail now and not at their deadline."""
        self._loaded.pop(instance, None)
        self._perform(self._scheduler.lost(instance, self.now()))
        for work in self.works.of(instance):
            if not self.works.is_scheduled(work) and not work.ended:
                work.end(AgentMissing(_LOST))
        self.schedule()

    def answering(self, robot: str, instances: tuple[str, ...]) -> None:
        """A robot is being answered by these agents; by none: no more."""
        if instances:
            self._answered[robot] = instances
        else:
            self._answered.pop(robot, None)
        self.schedule()

    def schedule(self) -> None:
        """Begin what may begin now."""
        self._perform(self._scheduler.schedule(self._offers(), self.now()))

    def slots(self, agent: AgentView) -> int:
        """How many jobs an instance takes at once."""
        return slots(
            agent.kind, agent.backend, agent.capacity, self._limits, sheds="fallback" in agent.info
        )

    def plan_slots(self, agent: AgentView) -> int:
        """How many of them may be plans."""
        return plan_slots(agent.backend, self.slots(agent), self._limits)

    def now(self) -> int:
        """The loop's time in nanoseconds."""
        return round(asyncio.get_running_loop().time() * 1e9)

    def _submit(self, order: JobOrder) -> Work:
        if self._registry.pick(order.agent, order.role) is None:
            raise AgentMissing(f"no {order.agent.value} is ready")
        now, caller = self.now(), order.caller
        job = Job(
            self._next(),
            order.agent,
            caller.job_class,
            order.role,
            caller.rank,
            caller.client,
            caller.robot,
            order.model,
            now + round(caller.deadline_s * 1e9) if caller.deadline_s else 0,
            order.cost,
            order.repeatable,
        )
        offers = self._offers()
        if not any(could(offer, job) for offer in offers):
            raise ModelMissing(f"no {order.agent.value} has the model {order.model!r}")
        work = Work(job, order.request, order.blobs)
        self.works.add(work)
        self.book.submitted(job, topic_name(type(order.request)), now)
        self._perform(self._scheduler.submit(job, offers, now))
        if isinstance(work.failure, Busy):
            self.works.remove(work)
            self._counters.count(f"jobs_refused.{order.agent.value}_busy")
            try:
                raise work.failure
            finally:
                # It keeps this frame, and that the work: only the collector would find them.
                work.failure = None
        return work

    def _leave(self, work: Work, end: JobEnd, code: str) -> None:
        left_early = not work.ended
        if left_early:
            self._close(work, end, None, code)
            self._stop(work)
        self.works.remove(work)
        work.failure = None  # as in _submit: who raises it keeps the work
        if left_early:  # else its end has let others begin
            self.schedule()

    def _close(self, work: Work, end: JobEnd, failure: JobError | None, code: str = "") -> None:
        """The job is over, for the scheduler, the records and its reader."""
        now = self.now()
        self._scheduler.finish(work.job.number, end, now)
        self.book.ended(work.job.number, end, failure.code if failure else code, now)
        work.end(failure)

    def _perform(self, effects: Effects, why: JobError | None = None) -> None:
        """Do what the scheduler wants; ``why`` is what jobs that it ends have failed by."""
        waiting = deque(effects)
        while waiting:
            waiting.extend(self._done(waiting.popleft(), why))

    def _done(self, effect: Effect, why: JobError | None) -> Effects:
        if isinstance(effect, ChangeModel):
            self._change_model(effect)
            return []
        work = self.works.numbered(effect.number)
        assert work is not None
        match effect:
            case Start(_, instance):
                return self._begin(work, instance)
            case Again():
                self.book.requeued(effect.number)
                self._stop(work)
                self.works.take_back(work)
            case Over(_, end, retry_after_s):
                failure = _failure(work.job, end, retry_after_s, why)
                self.book.ended(effect.number, end, failure.code, self.now())
                work.end(failure)
                if end is JobEnd.EXPIRED:
                    self._stop(work)
        return []

    def _begin(self, work: Work, instance: str) -> Effects:
        wire = self._next()
        self.works.give(work, instance, wire)
        self.book.began(work.job.number, instance, self.now())
        envelope = Envelope(robot=work.job.robot, job=wire, body=work.request)
        try:
            self._bus.send(instance, envelope)
        except UnknownPeer:
            # Its loss is on its way; what waits is begun elsewhere then.
            return self._scheduler.lost(instance, self.now())
        except FrameTooLarge as error:
            self._close(work, JobEnd.FAILED, JobError(str(error), "too_large"))
            work.wire = 0
            return self._scheduler.schedule(self._offers(), self.now())
        return []

    def _change_model(self, change: ChangeModel) -> None:
        """Have an agent load a model that jobs wait for."""
        job = Job(self._next(), AgentKind.VISION, JobClass.BATCH)
        work = Work(job, ModelLoad(model=change.model))
        loop = asyncio.get_running_loop()
        late = JobTimeout(f"the model was not loaded within {CHANGE_LIMIT_S:g} s")
        limit = loop.call_later(CHANGE_LIMIT_S, work.end, late)

        def over() -> None:
            limit.cancel()
            work.on_end = None
            if work.failure is late:
                self._stop(work)
            self.works.remove(work)
            done = work.failure is None
            if done:
                self._loaded[change.instance] = change.model
            changed = self._scheduler.model_changed(change.instance, done, self.now())
            self._perform(changed, why=work.failure)
            self.schedule()

        work.on_end = over
        self.works.give(work, change.instance, job.number)
        try:
            self.tell(work, work.request)
        except AgentMissing as error:
            loop.call_soon(work.end, error)

    def _stop(self, work: Work) -> None:
        """Nobody waits for it any more: tell whoever does it."""
        if not work.wire:
            return
        with suppress(AgentMissing):
            self.tell(work, JobCancel(reason="nobody waits for it"))
            self._counters.count("jobs.cancelled")

    def _offers(self) -> list[Offer]:
        return [self._offer(a) for a in self._registry.agents() if a.state is AgentState.READY]

    def _offer(self, agent: AgentView) -> Offer:
        serves_turns = agent.kind in _ANSWERING_ROBOTS
        held = agent.engine.model if agent.engine is not None else agent.model
        taken_at_once = self.slots(agent)
        return Offer(
            agent.instance,
            agent.kind,
            agent.role,
            self._loaded.get(agent.instance, held),
            taken_at_once,
            plan_slots(agent.backend, taken_at_once, self._limits),
            sum(agent.instance in serving for serving in self._answered.values()),
            serves_turns=serves_turns,
            changes_model=agent.has_models and not serves_turns,
            load=agent.active / max(1, agent.capacity),
        )

    def _next(self) -> int:
        self._last += 1
        return self._last


def _failure(job: Job, end: JobEnd, retry_after_s: int, why: JobError | None) -> JobError:
    match end:
        case JobEnd.SHED:
            return Busy(f"{job.agent.value} overloaded; retry shortly", retry_after_s=retry_after_s)
        case JobEnd.EXPIRED:
            return JobTimeout("the job was not done by its deadline")
        case _:
            return why or AgentMissing(_LOST)
