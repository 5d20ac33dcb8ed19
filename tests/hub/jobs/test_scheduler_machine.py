"""Random lives of a scheduler: whatever happens, each job ends once, and the rules hold."""

from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.jobs.job import Bounds, Job, JobClass, JobEnd, Offer, Rank
from hub.jobs.placing import fits, room
from hub.jobs.scheduler import Again, ChangeModel, Effect, Over, Scheduler, Start
from protocols.messages.agent import AgentKind

S = 1_000_000_000
BOUNDS = Bounds(
    queued={JobClass.INTERACTIVE: 6, JobClass.IMAGE: 4, JobClass.BATCH: 4}, hunger_s=20, requeues=2
)
AGENTS = {
    "planner-1": AgentKind.PLANNER,
    "vision-1": AgentKind.VISION,
    "vision-2": AgentKind.VISION,
}


class Life(RuleBasedStateMachine):
    """A model that believes nothing: it keeps what the effects say and checks it against them."""

    def __init__(self) -> None:
        super().__init__()
        self.core = Scheduler(BOUNDS)
        self.now = 0
        self.last = 0
        self.jobs: dict[int, Job] = {}
        self.state: dict[int, str] = {}
        """``queued``, the instance it runs at, or how it ended."""
        self.sent: set[int] = set()
        self.begun: dict[int, int] = {}
        self.served_at: dict[tuple[object, ...], int] = {}
        """Since when nothing was begun of the jobs that are alike."""
        self.up = set(AGENTS)
        self.models = {"planner-1": "p", "vision-1": "a", "vision-2": "b"}
        self.changing: dict[str, str] = {}
        self.live = 0
        self.slots = 2

    @initialize(slots=st.integers(1, 3))
    def begin(self, slots: int) -> None:
        self.slots = slots

    # what happens

    @rule(
        kind=st.sampled_from([AgentKind.PLANNER, AgentKind.VISION]),
        job_class=st.sampled_from(list(JobClass)),
        rank=st.sampled_from([Rank.LIVE, 0, 1, 2]),
        client=st.sampled_from(["", "x", "y"]),
        model=st.sampled_from(["", "a", "b", "c"]),
        patience_s=st.sampled_from([0, 3, 100]),
        cost=st.sampled_from([0.5, 10.0]),
    )
    def submit(
        self,
        kind: AgentKind,
        job_class: JobClass,
        rank: int,
        client: str,
        model: str,
        patience_s: int,
        cost: float,
    ) -> None:
        self.last += 1
        waits = job_class > JobClass.PLAN
        job = Job(
            self.last,
            kind,
            job_class,
            rank=rank if job_class is JobClass.INTERACTIVE else max(0, rank) if waits else 0,
            client=client,
            model=model if waits and kind is AgentKind.VISION else "",
            deadline_ns=self.now + patience_s * S if patience_s and waits else 0,
            cost=cost,
        )
        self.put(job)
        self.perform(self.core.submit(job, self.offers(), self.now))

    @rule(pick=st.integers(0, 10), end=st.sampled_from([JobEnd.DONE, JobEnd.FAILED]))
    @precondition(lambda self: self.running())
    def finish(self, pick: int, end: JobEnd) -> None:
        self.end(self.running(), pick, end)

    @rule(pick=st.integers(0, 10))
    @precondition(lambda self: self.open())
    def cancel(self, pick: int) -> None:
        self.end(self.open(), pick, JobEnd.CANCELLED)

    @rule(pick=st.integers(0, 10))
    @precondition(lambda self: self.running())
    def send(self, pick: int) -> None:
        number = self.running()[pick % len(self.running())]
        self.sent.add(number)
        self.core.sent(number)

    @rule(seconds=st.sampled_from([0.1, 2, 30]))
    def wait(self, seconds: float) -> None:
        self.now += round(seconds * S)
        self.perform(self.core.schedule(self.offers(), self.now))

    @rule(turns=st.integers(0, 3))
    def talk(self, turns: int) -> None:
        self.live = turns
        self.perform(self.core.schedule(self.offers(), self.now))

    @rule(instance=st.sampled_from(sorted(AGENTS)))
    def lose_or_regain(self, instance: str) -> None:
        if instance in self.up:
            self.up.remove(instance)
            self.changing.pop(instance, None)
            self.perform(self.core.lost(instance, self.now))
        else:
            self.up.add(instance)
        self.perform(self.core.schedule(self.offers(), self.now))

    @rule(done=st.booleans())
    @precondition(lambda self: self.changing)
    def change(self, done: bool) -> None:
        instance, model = self.changing.popitem()
        if done:
            self.models[instance] = model
        self.perform(self.core.model_changed(instance, done, self.now))
        self.perform(self.core.schedule(self.offers(), self.now))

    # what must hold

    @invariant()
    def bounds_hold(self) -> None:
        for job_class, bound in BOUNDS.queued.items():
            # What was put back is not refused for it: it was let in before.
            back = sum(n in self.begun for n in self.queued(job_class))
            assert len(self.queued(job_class)) - back <= bound

    @invariant()
    def the_scheduler_knows_the_same(self) -> None:
        assert {job.number for job in self.core.queued} == set(self.queued())
        for instance in AGENTS:
            here = {job.number for job in self.core.running_at(instance)}
            assert here == {n for n, state in self.state.items() if state == instance}

    @invariant()
    def nothing_waits_for_room_that_is_there(self) -> None:
        if self.changing:
            return
        running = {i: list(self.core.running_at(i)) for i in self.up}
        held = {self.models[i] for i in self.up}
        if any(self.jobs[n].model not in {"", *held} for n in self.queued()):
            return  # an agent may be kept for a change of model
        for number in self.queued():
            job = self.jobs[number]
            for offer in self.offers():
                assert not fits(offer, job) or room(offer, job.job_class, running) <= 0

    # how the model keeps up

    def perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Start(number, instance):
                    self.start(number, instance)
                case Again(number):
                    assert self.state[number] in AGENTS
                    assert number not in self.sent
                    assert self.jobs[number].waits
                    self.put(self.jobs[number])
                case Over(number, end):
                    assert self.state[number] in {"queued", *AGENTS}
                    self.state[number] = end
                case ChangeModel(instance, model):
                    assert not self.core.running_at(instance)
                    assert AGENTS[instance] is AgentKind.VISION
                    assert instance not in self.changing
                    self.changing[instance] = model

    def start(self, number: int, instance: str) -> None:
        job = self.jobs[number]
        assert self.state[number] == "queued"
        assert instance in self.up
        assert instance not in self.changing
        assert job.model in ("", self.models[instance])
        assert not 0 < job.deadline_ns <= self.now
        here = [n for n, state in self.state.items() if state == instance]
        assert len(here) < self.slots
        hungry = not job.is_live and self.now - self.served_at[line_of(job)] >= BOUNDS.hunger_s * S
        if job.waits and not hungry:
            first = min(
                (self.jobs[n].job_class, self.jobs[n].rank)
                for n in self.queued()
                if self.could_run(n, instance)
            )
            assert (job.job_class, job.rank) == first
        self.served_at[line_of(job)] = self.now
        self.state[number] = instance
        self.begun[number] = self.now

    def end(self, numbers: list[int], pick: int, end: JobEnd) -> None:
        number = numbers[pick % len(numbers)]
        assert self.core.finish(number, end, self.now)
        assert not self.core.finish(number, JobEnd.CANCELLED, self.now)
        self.state[number] = end
        self.perform(self.core.schedule(self.offers(), self.now))

    def put(self, job: Job) -> None:
        alike = [n for n in self.queued() if line_of(self.jobs[n]) == line_of(job)]
        if not alike:
            self.served_at[line_of(job)] = self.now
        self.jobs[job.number], self.state[job.number] = job, "queued"

    def could_run(self, number: int, instance: str) -> bool:
        job = self.jobs[number]
        return AGENTS[instance] is job.agent and job.model in ("", self.models[instance])

    def offers(self) -> list[Offer]:
        return [
            Offer(
                instance,
                kind,
                model=self.models[instance],
                slots=self.slots,
                plan_slots=self.slots,
                live=self.live if kind is AgentKind.PLANNER else 0,
                serves_turns=kind is AgentKind.PLANNER,
                changes_model=kind is AgentKind.VISION,
            )
            for instance, kind in AGENTS.items()
            if instance in self.up
        ]

    def queued(self, job_class: JobClass | None = None) -> list[int]:
        return [
            n
            for n, state in self.state.items()
            if state == "queued" and job_class in (None, self.jobs[n].job_class)
        ]

    def running(self) -> list[int]:
        return [n for n, state in self.state.items() if state in AGENTS]

    def open(self) -> list[int]:
        return self.queued() + self.running()

    def teardown(self) -> None:
        """Whatever still waits ends, if its agents stay: nothing starves."""
        self.up, self.live = set(AGENTS), 0
        for _ in range(400):
            while self.changing:
                self.change_for_good()
            self.now += S
            self.perform(self.core.schedule(self.offers(), self.now))
            for number in self.running():
                self.end([number], 0, JobEnd.DONE)
            if not self.open() and not self.changing:
                break
        assert all(state in set(JobEnd) for state in self.state.values()), self.state

    def change_for_good(self) -> None:
        instance, model = self.changing.popitem()
        self.models[instance] = model
        self.perform(self.core.model_changed(instance, True, self.now))


def line_of(job: Job) -> tuple[object, ...]:
    return job.agent, job.job_class, job.rank, job.model


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
