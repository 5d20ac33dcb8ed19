"""What a job is to the scheduler: who wants it, of whom, how urgently, and how it may end."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from protocols.messages.agent import AgentKind

PRIMARY, REFLEX = "primary", "reflex"


class JobClass(IntEnum):
    """Who goes first. Speech and plans are for a robot that waits: they never queue."""

    SPEECH = 0
    PLAN = 1
    INTERACTIVE = 2
    """Text, and what is asked of a picture, with somebody waiting for it."""
    IMAGE = 3
    BATCH = 4


class Rank:
    """Order within a class. The four kinds of the MCP tools keep theirs over two classes:
    ``txt2txt`` is interactive, the other three are images of these ranks."""

    LIVE = -2
    """Of interactive jobs: part of a robot's turn. Its user waits, and no line is hungrier."""
    FIRST = 0
    TXT2IMG = 0
    IMG2IMG = 1
    IMG2TXT = 2


class JobEnd(StrEnum):
    """How a job ended. There is no other way, and each job has exactly one."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SHED = "shed"
    """Refused at once: too much waits already."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request as the scheduler sees it. ``cost`` is the estimated time of an engine in seconds,
    ``deadline_ns`` a time of the hub's clock (0: none)."""

    number: int
    agent: AgentKind
    job_class: JobClass
    role: str = PRIMARY
    rank: int = Rank.FIRST
    client: str = ""
    robot: str = ""
    model: str = ""
    """Empty: whichever model the agent holds."""
    deadline_ns: int = 0
    cost: float = 1.0
    repeatable: bool = True
    """Nothing is changed by doing it twice: it may begin anew."""

    @property
    def waits(self) -> bool:
        """Whether it may wait for room; what may not is refused at once."""
        return self.job_class > JobClass.PLAN

    @property
    def is_live(self) -> bool:
        """Whether it is part of a robot's turn."""
        return self.job_class is JobClass.INTERACTIVE and self.rank == Rank.LIVE


@dataclass(frozen=True, slots=True)
class Offer:
    """An instance that takes work now. ``live`` robots are being answered by it."""

    instance: str
    agent: AgentKind
    role: str = PRIMARY
    model: str = ""
    slots: int = 1
    plan_slots: int = 1
    """How many of them plans may have."""
    live: int = 0
    serves_turns: bool = False
    """Robots are answered by agents of its kind: the last slot of several is kept for them."""
    changes_model: bool = False
    """Its model may be changed for a job. Never that of an agent that answers robots."""
    load: float = 0.0
    """Share of its capacity that is in use, by what it last said."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Every number of the scheduler, as data."""

    queued: dict[JobClass, int] = field(
        default_factory=lambda: {JobClass.INTERACTIVE: 64, JobClass.IMAGE: 32, JobClass.BATCH: 256}
    )
    """How many jobs of a class may wait."""
    share: float = 0.5
    """Which part of that one client may have."""
    running: int = 0
    """How many jobs that may wait run at once, over all agents; 0: as many as these take. 1 is for
    a machine whose engines share one GPU."""
    hunger_s: float = 30.0
    """A line of which nothing was begun for so long goes before interactive ones, once."""
    requeues: int = 3
    """How often a job may lose its place at an agent; beyond it nothing takes it away."""
    long_s: float = 5.0
    """An interactive job that costs more is long: a live turn may take its place."""
    retry_max_s: int = 120
