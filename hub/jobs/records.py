"""What is known of jobs without what they say: those under way, and for a while those that ended."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from hub.jobs.job import Job, JobClass, JobEnd
from hub.measures import Histogram

KEPT_JOBS = 250
"""How many jobs of a class that ended are kept: plans come every second, pictures do not."""
KEPT_NS = 600_000_000_000
"""For how long."""

WAIT_BOUNDS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)

State = JobEnd | Literal["queued", "running"]


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it may be shown: no prompt, text, picture or answer. ``id`` is unique over all runs
    of a hub; times are nanoseconds of the hub's clock."""

    id: str
    job: Job
    request: str
    """Topic of what is asked, e.g. ``chat.request``."""
    state: State
    submitted_ns: int
    began_ns: int = 0
    ended_ns: int = 0
    instance: str = ""
    requeues: int = 0
    code: str = ""
    """Why it failed."""
    progress: float | None = None
    """How much of what it makes now is made, 0 to 1; None where nobody tells."""


@dataclass(frozen=True, slots=True)
class JobNumbers:
    """The jobs of this run of the hub, for whoever measures."""

    queued: Mapping[JobClass, int] = field(default_factory=dict)
    running: Mapping[JobClass, int] = field(default_factory=dict)
    ended: Mapping[tuple[JobClass, JobEnd], int] = field(default_factory=dict)
    waits: Mapping[JobClass, Histogram] = field(default_factory=dict)
    """How many seconds jobs waited before they began."""
    requeued: int = 0


class JobBook:
    """The records of all jobs. ``boot`` numbers this run of the hub."""

    def __init__(self, boot: int) -> None:
        self._boot = boot
        self._open: dict[int, JobRecord] = {}
        self._ended: dict[JobClass, OrderedDict[str, JobRecord]] = {
            job_class: OrderedDict() for job_class in JobClass
        }
        self._ends: Counter[tuple[JobClass, JobEnd]] = Counter()
        self._waits: dict[JobClass, Histogram] = {}
        self._requeued = 0

    def submitted(self, job: Job, request: str, now_ns: int) -> None:
        """A job came."""
        self._open[job.number] = JobRecord(
            self.id_of(job.number), job, request, "queued", submitted_ns=now_ns
        )

    def began(self, number: int, instance: str, now_ns: int) -> None:
        """It is given to an agent."""
        record = self._open[number]
        self._open[number] = replace(
            record, state="running", instance=instance, began_ns=record.began_ns or now_ns
        )
        if not record.began_ns:
            wait_s = (now_ns - record.submitted_ns) / 1e9
            self._waits.setdefault(record.job.job_class, Histogram(WAIT_BOUNDS_S)).add(wait_s)

    def told(self, number: int, progress: float) -> None:
        """So much is made."""
        self._open[number] = replace(self._open[number], progress=progress)

    def requeued(self, number: int) -> None:
        """It waits again."""
        record = self._open[number]
        self._requeued += 1
        self._open[number] = replace(
            record, state="queued", instance="", progress=None, requeues=record.requeues + 1
        )

    def ended(self, number: int, end: JobEnd, code: str, now_ns: int) -> None:
        """It has ended."""
        record = self._open.pop(number)
        self._ends[record.job.job_class, end] += 1
        self._ended[record.job.job_class][record.id] = replace(
            record, state=end, ended_ns=now_ns, code=code
        )
        self._forget_old(now_ns)

    def id_of(self, number: int) -> str:
        """The name of a job for the outside."""
        return f"{self._boot}-{number & 0xFFFFFFFF}"

    def all(self, now_ns: int) -> list[JobRecord]:
        """Jobs under way, then those that ended, the latest first."""
        self._forget_old(now_ns)
        ended = [record for kept in self._ended.values() for record in kept.values()]
        ended.sort(key=lambda record: record.ended_ns, reverse=True)
        return [*self._open.values(), *ended]

    def find(self, job_id: str, now_ns: int) -> JobRecord | None:
        """The record of a job, None if there is none any more."""
        self._forget_old(now_ns)
        under_way = (record for record in self._open.values() if record.id == job_id)
        ended = (kept[job_id] for kept in self._ended.values() if job_id in kept)
        return next(under_way, None) or next(ended, None)

    @property
    def numbers(self) -> JobNumbers:
        """All of it, counted."""
        return JobNumbers(
            queued=self._count("queued"),
            running=self._count("running"),
            ended=dict(self._ends),
            waits=dict(self._waits),
            requeued=self._requeued,
        )

    def _count(self, state: State) -> dict[JobClass, int]:
        counted = Counter(r.job.job_class for r in self._open.values() if r.state == state)
        return {job_class: counted[job_class] for job_class in JobClass}

    def _forget_old(self, now_ns: int) -> None:
        for kept in self._ended.values():
            for job_id in list(_expired(kept.values(), now_ns, len(kept) - KEPT_JOBS)):
                del kept[job_id]


def _expired(ended: Iterable[JobRecord], now_ns: int, surplus: int) -> Iterable[str]:
    """Ids of what is too old or too many, the oldest first."""
    for place, record in enumerate(ended):
        if place >= surplus and now_ns - record.ended_ns < KEPT_NS:
            return
        yield record.id
