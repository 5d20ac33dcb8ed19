"""The lines that jobs wait in, and whose turn it is in each. Pure.

A line holds the jobs of one kind of agent, class, rank and model. In a line clients take turns by
what they have had (start-time fair queueing: Goyal, Vin, Cheng 1996), and each client's own jobs
are served in the order they came in.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.jobs.job import Job, JobClass
from protocols.messages.agent import AgentKind

_CLIENTS_REMEMBERED = 1_024


class LineKey(NamedTuple):
    """What the jobs of a line have in common."""

    agent: AgentKind
    role: str
    job_class: JobClass
    rank: int
    model: str


class Group(NamedTuple):
    """Lines among which clients are treated fairly."""

    agent: AgentKind
    role: str
    job_class: JobClass


@dataclass(slots=True)
class _Line:
    hungry_from_ns: int
    jobs: dict[int, Job] = field(default_factory=dict)


@dataclass(slots=True)
class _Account:
    """Virtual time of a group, in seconds of cost: how far it is, and how far each client is."""

    now: float = 0.0
    had: dict[str, float] = field(default_factory=dict)

    def start(self, client: str) -> float:
        """Where the client's next job would begin."""
        return max(self.now, self.had.get(client, 0.0))


class Head(NamedTuple):
    """The job of a line that is served next. Heads compare by who goes first: ``start`` is the
    client's virtual time, or since when the line is hungry."""

    level: int
    rank: int
    start: float
    number: int
    key: LineKey
    job: Job


_HUNGRY = -1
"""Rank of a line that has waited too long; only what robots' users wait for goes before it."""


class Lines:
    """All jobs that wait."""

    def __init__(self, hunger_ns: int) -> None:
        self._hunger_ns = hunger_ns
        self._lines: dict[LineKey, _Line] = {}
        self._accounts: dict[Group, _Account] = {}

    def __len__(self) -> int:
        return sum(len(line.jobs) for line in self._lines.values())

    def jobs(self) -> Iterable[Job]:
        """All of them, in no order."""
        for line in self._lines.values():
            yield from line.jobs.values()

    def put(self, job: Job, now_ns: int) -> None:
        """Let ``job`` wait; one that came earlier than others keeps its place before them."""
        line = self._lines.setdefault(_key(job), _Line(now_ns))
        if not line.jobs:
            line.hungry_from_ns = now_ns
        line.jobs[job.number] = job

    def drop(self, job: Job) -> None:
        """It waits no more."""
        line = self._lines[_key(job)]
        del line.jobs[job.number]
        if not line.jobs:
            del self._lines[_key(job)]

    def take(self, job: Job, now_ns: int) -> None:
        """It is served: its client has had its cost."""
        account = self._account(job)
        account.now = account.start(job.client)
        account.had[job.client] = account.now + job.cost
        if len(account.had) > _CLIENTS_REMEMBERED:
            account.had = {c: had for c, had in account.had.items() if had > account.now}
        self._lines[_key(job)].hungry_from_ns = now_ns
        self.drop(job)

    def give_back(self, job: Job, now_ns: int) -> None:
        """It was served for nothing: it waits again where it was, and its client has not had it."""
        account = self._account(job)
        account.had[job.client] = account.had.get(job.client, 0.0) - job.cost
        self.put(job, now_ns)

    def heads(self, now_ns: int, able: Container[tuple[AgentKind, str]]) -> list[Head]:
        """The next job of every line for agents of these kinds and roles, who goes first before
        the others."""
        return sorted(
            (self._head(k, line, now_ns) for k, line in self._lines.items() if k[:2] in able),
            key=lambda head: head[:4],
        )

    def _head(self, key: LineKey, line: _Line, now_ns: int) -> Head:
        account = self._account(next(iter(line.jobs.values())))
        start, number = min((account.start(job.client), n) for n, job in line.jobs.items())
        job = line.jobs[number]
        if key.rank < _HUNGRY or now_ns - line.hungry_from_ns < self._hunger_ns:
            return Head(int(key.job_class), key.rank, start, number, key, job)
        level = min(key.job_class, JobClass.INTERACTIVE)
        return Head(int(level), _HUNGRY, line.hungry_from_ns, number, key, job)

    def _account(self, job: Job) -> _Account:
        return self._accounts.setdefault(Group(job.agent, job.role, job.job_class), _Account())


def is_hungry(head: Head) -> bool:
    """Whether its line has waited too long."""
    return head.rank == _HUNGRY


def _key(job: Job) -> LineKey:
    return LineKey(job.agent, job.role, job.job_class, job.rank, job.model)
