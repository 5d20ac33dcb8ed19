"""Which job runs where, and when: the decisions, without clock, bus or task.

Jobs come in by ``submit``; ``schedule`` begins what may begin, on what the agents offer at that
moment; both return what is to be done, in order. The rules:

- live speech, plans, interactive text and vision, images, batch, in this order (``JobClass``);
  speech and plans never wait, the others within a bound per class, beyond which they are refused;
- within a class by rank, then clients in turns, then first come first served (``lines.py``);
- what robots' turns need is kept free; a live turn, a job that is part of one (``is_live``), or a
  plan takes the place of a long job of which nothing was sent yet; that one begins anew, later;
- a job whose agent was lost begins anew, too, if nothing of it was sent yet;
- models are not changed needlessly (``placing.py``), and no line waits for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from hub.jobs import placing
from hub.jobs.job import Bounds, Job, JobClass, JobEnd, Offer
from hub.jobs.lines import Head, Lines
from protocols.messages.agent import AgentKind

_NS = 1_000_000_000
_SMOOTHING = 0.3
_GUESS_S = {JobClass.INTERACTIVE: 2.0, JobClass.IMAGE: 20.0, JobClass.BATCH: 10.0}
"""How long a job of a class is taken to run before the first was seen."""


@dataclass(frozen=True, slots=True)
class Start:
    """Let ``instance`` do the job."""

    number: int
    instance: str


@dataclass(frozen=True, slots=True)
class Again:
    """The job waits again: whoever does it stops, and what it has told is void."""

    number: int


@dataclass(frozen=True, slots=True)
class Over:
    """The job has ended. ``retry_after_s``: when to come again, if it was shed."""

    number: int
    end: JobEnd
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class ChangeModel:
    """Let ``instance`` hold ``model``; ``model_changed`` says when it does, or does not."""

    instance: str
    model: str


Effect = Start | Again | Over | ChangeModel
Effects = list[Effect]


@dataclass(slots=True)
class _Run:
    job: Job
    instance: str
    began_ns: int
    sent: bool = False


class Scheduler:
    """See the module. Times are nanoseconds of one monotonic clock."""

    def __init__(self, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - frozen
        self._bounds = bounds
        self._lines = Lines(round(bounds.hunger_s * _NS))
        self._runs: dict[int, _Run] = {}
        self._queued: dict[int, Job] = {}
        self._requeues: dict[int, int] = {}
        self._changing: dict[str, str] = {}
        self._changed: set[str] = set()
        """Whose model was changed, and who has begun nothing with it yet: it is not changed again
        before."""
        self._service_s: dict[tuple[AgentKind, JobClass], float] = {}

    @property
    def queued(self) -> tuple[Job, ...]:
        """The jobs that wait."""
        return tuple(self._queued.values())

    def running_at(self, instance: str) -> tuple[Job, ...]:
        """The jobs that ``instance`` does."""
        return tuple(run.job for run in self._runs.values() if run.instance == instance)

    def submit(self, job: Job, offers: Sequence[Offer], now_ns: int) -> Effects:
        """Take a job: it begins, waits, or is shed."""
        if job.is_live or not job.waits:
            begun = self._at_once(job, self._settled(offers), now_ns)
            if begun or not job.waits:
                return begun or [Over(job.number, JobEnd.SHED, 1)]
        mine = [j for j in self._queued.values() if j.job_class is job.job_class]
        bound = self._bounds.queued[job.job_class]
        of_client = sum(j.client == job.client for j in mine)
        if len(mine) >= bound or of_client >= max(1, bound * self._bounds.share):
            return [Over(job.number, JobEnd.SHED, self.retry_after_s(job, offers))]
        self._queued[job.number] = job
        self._lines.put(job, now_ns)
        return self.schedule(offers, now_ns)

    def schedule(self, offers: Sequence[Offer], now_ns: int) -> Effects:
        """Begin what may begin; call it whenever something has changed."""
        open_offers = self._settled(offers)
        effects = self.expire(now_ns) + self._make_way(open_offers, now_ns)
        if not self._queued:
            self._changed.clear()  # nobody is left for whom it was changed
            return effects
        while True:
            running = self._running()
            able = {
                (offer.agent, offer.role)
                for offer in open_offers
                if placing.room(offer, JobClass.INTERACTIVE, running) > 0
            }
            heads = self._lines.heads(now_ns, able)
            claimed = self._claims(heads, open_offers, running)
            free = [o for o in open_offers if o.instance not in claimed]
            started = self._start_one((h.job for h in heads), free, running, now_ns)
            if started is None:
                break
            effects.append(started)
        for instance, (model, idle) in claimed.items():
            if idle:
                self._changing[instance] = model
                effects.append(ChangeModel(instance, model))
        return effects

    def _settled(self, offers: Iterable[Offer]) -> list[Offer]:
        """Offers of agents whose model is not being changed."""
        return [offer for offer in offers if offer.instance not in self._changing]

    def _claims(
        self, heads: Sequence[Head], offers: Sequence[Offer], running: placing.Running
    ) -> dict[str, tuple[str, bool]]:
        self._changed = {
            offer.instance
            for offer in offers
            if offer.instance in self._changed
            and any(placing.fits(offer, head.job) for head in heads)
        }
        settled = [o for o in offers if o.instance not in self._changed]
        held = {o.model for o in offers if o.instance in self._changed}
        return placing.claims(heads, settled, running, {*self._changing.values(), *held})

    def sent(self, number: int) -> None:
        """Something of its answer was passed on: it cannot begin anew."""
        if number in self._runs:
            self._runs[number].sent = True

    def finish(self, number: int, end: JobEnd, now_ns: int) -> bool:
        """The job has ended; False if it had before."""
        self._requeues.pop(number, None)
        run = self._runs.pop(number, None)
        if run is not None:
            if end is JobEnd.DONE:
                self._learn(run, now_ns)
            return True
        job = self._queued.pop(number, None)
        if job is not None:
            self._lines.drop(job)
        return job is not None

    def expire(self, now_ns: int) -> Effects:
        """End every job whose deadline has passed."""
        jobs = [*self._queued.values(), *(run.job for run in self._runs.values())]
        late = [job for job in jobs if 0 < job.deadline_ns <= now_ns]
        for job in late:
            self.finish(job.number, JobEnd.EXPIRED, now_ns)
        return [Over(job.number, JobEnd.EXPIRED) for job in late]

    def lost(self, instance: str, now_ns: int) -> Effects:
        """An agent is gone, with what it did."""
        self._changing.pop(instance, None)
        effects: Effects = []
        for run in [r for r in self._runs.values() if r.instance == instance]:
            if run.job.waits and self._may_begin_anew(run):
                effects.append(self._put_back(run, now_ns))
            else:
                self.finish(run.job.number, JobEnd.FAILED, now_ns)
                effects.append(Over(run.job.number, JobEnd.FAILED))
        return effects

    def model_changed(self, instance: str, done: bool, now_ns: int) -> Effects:
        """A change of model has ended; if it failed, so have the jobs that waited for it."""
        model = self._changing.pop(instance, None)
        if done or model is None:
            if done:
                self._changed.add(instance)
            return []
        hopeless = [job.number for job in self._queued.values() if job.model == model]
        for number in hopeless:
            self.finish(number, JobEnd.FAILED, now_ns)
        return [Over(number, JobEnd.FAILED) for number in hopeless]

    def retry_after_s(self, job: Job, offers: Iterable[Offer]) -> int:
        """After how many seconds half of what goes before it is likely to be done: by what such
        jobs have taken, over what does them at once. Later than there is room again, so that those
        who were refused do not all come at that moment."""
        if not job.waits:
            return 1
        slots = sum(o.slots for o in offers if placing.could(o, job))
        running = [run.job for run in self._runs.values() if run.job.waits]
        before = [
            j
            for j in (*self._queued.values(), *running)
            if j.agent is job.agent and j.job_class <= job.job_class
        ]
        wait_s = sum(self._expected_s(j) for j in before) / max(1, slots)
        return max(1, min(self._bounds.retry_max_s, ceil(wait_s / 2)))

    def _at_once(self, job: Job, offers: Sequence[Offer], now_ns: int) -> Effects:
        """Begin a job that a robot waits for, in place of a long one if it must be; nothing, if it
        cannot."""
        running = self._running()
        chosen = placing.place(job, offers, running)
        if chosen is not None:
            return [self._begin(job, chosen, now_ns)]
        for offer in offers:
            victim = self._victim(offer.instance) if placing.fits(offer, job) else None
            if victim is not None:
                rest = [j for j in running[offer.instance] if j is not victim.job]
                if placing.room(offer, job.job_class, {offer.instance: rest}) > 0:
                    back = self._put_back(victim, now_ns)
                    return [back, self._begin(job, offer, now_ns)]
        return []

    def _start_one(
        self, jobs: Iterable[Job], offers: Sequence[Offer], running: placing.Running, now_ns: int
    ) -> Start | None:
        limit = self._bounds.running
        if limit and sum(run.job.waits for run in self._runs.values()) >= limit:
            return None
        for job in jobs:
            chosen = placing.place(job, offers, running)
            if chosen is not None:
                del self._queued[job.number]
                self._lines.take(job, now_ns)
                return self._begin(job, chosen, now_ns)
        return None

    def _begin(self, job: Job, offer: Offer, now_ns: int) -> Start:
        self._runs[job.number] = _Run(job, offer.instance, now_ns)
        self._changed.discard(offer.instance)
        return Start(job.number, offer.instance)

    def _make_way(self, offers: Iterable[Offer], now_ns: int) -> Effects:
        """Live turns take the places of long jobs, where there are too few for both."""
        effects: Effects = []
        for offer in offers:
            while offer.live and offer.live + len(self.running_at(offer.instance)) > offer.slots:
                victim = self._victim(offer.instance)
                if victim is None:
                    break
                effects.append(self._put_back(victim, now_ns))
        return effects

    def _victim(self, instance: str) -> _Run | None:
        """The job that a live turn or a plan may take the place of: the lowest, begun last."""
        able = [
            run
            for run in self._runs.values()
            if run.instance == instance and self._is_long(run.job) and self._may_begin_anew(run)
        ]
        return max(able, key=lambda r: (r.job.job_class, r.began_ns, r.job.number), default=None)

    def _is_long(self, job: Job) -> bool:
        interactive = job.job_class is JobClass.INTERACTIVE
        return job.waits and (not interactive or job.cost >= self._bounds.long_s)

    def _may_begin_anew(self, run: _Run) -> bool:
        if run.sent or not run.job.repeatable:
            return False
        return self._requeues.get(run.job.number, 0) < self._bounds.requeues

    def _put_back(self, run: _Run, now_ns: int) -> Again:
        number = run.job.number
        del self._runs[number]
        self._requeues[number] = self._requeues.get(number, 0) + 1
        self._queued[number] = run.job
        self._lines.give_back(run.job, now_ns)
        return Again(number)

    def _running(self) -> dict[str, list[Job]]:
        running: dict[str, list[Job]] = {}
        for run in self._runs.values():
            running.setdefault(run.instance, []).append(run.job)
        return running

    def _learn(self, run: _Run, now_ns: int) -> None:
        key = run.job.agent, run.job.job_class
        took_s = (now_ns - run.began_ns) / _NS
        known_s = self._service_s.get(key, took_s)
        self._service_s[key] = known_s + _SMOOTHING * (took_s - known_s)

    def _expected_s(self, job: Job) -> float:
        guess_s = _GUESS_S.get(job.job_class, 1.0)
        return self._service_s.get((job.agent, job.job_class), guess_s)
