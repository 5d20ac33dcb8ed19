"""A job that somebody waits for: what has come of it and was not read yet."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hub.errors import JobError
from hub.jobs.job import Job
from hub.jobs.orders import Blob
from hub.jobs.speech import SpeechJoin
from protocols.envelope import Message
from protocols.messages.agent import AgentProgress
from protocols.messages.chat import ChatDelta
from protocols.messages.image import ImageProgress
from protocols.messages.job import PlanDone

_UNREAD = 64
"""Facts that may wait for a slow reader; beyond it pieces of text are joined."""
TEXT_CHARS = 4_000_000
"""Most text that one job may bring."""


@dataclass(slots=True)
class Work:
    """See the module. ``wire`` is the job's number at the agent: every attempt has its own, since
    an agent does nothing twice."""

    job: Job
    request: Message
    blobs: tuple[Blob, ...] = ()
    instance: str = ""
    wire: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    facts: deque[Message] = field(default_factory=deque)
    text_chars: int = 0
    awaited: tuple[int, int] | None = None
    """Index and offset of the part that the reader waits for."""
    part: bytes | None = None
    speech: SpeechJoin | None = None
    answer: PlanDone | None = None
    failure: JobError | None = None
    progress: deque[AgentProgress] | None = None
    ended: bool = False
    on_end: Callable[[], None] | None = None

    def end(self, failure: JobError | None = None) -> None:
        """Nothing more comes."""
        self.failure = self.failure or failure
        self.ended = True
        self.changed.set()
        if self.on_end is not None:
            self.on_end()

    def restart(self) -> None:
        """It begins anew: what it has told of its progress is void."""
        self.instance, self.wire = "", 0
        self.facts.clear()
        self.awaited = self.part = None

    def tell(self, fact: Message) -> bool:
        """Keep a fact for the reader; False if it is more text than a job may bring."""
        if isinstance(fact, ChatDelta):
            self.text_chars += len(fact.text)
            if self.text_chars > TEXT_CHARS:
                return False
        last = self.facts[-1] if self.facts else None
        if isinstance(fact, ImageProgress) and isinstance(last, ImageProgress):
            self.facts[-1] = fact
        elif (
            isinstance(fact, ChatDelta)
            and isinstance(last, ChatDelta)
            and len(self.facts) >= _UNREAD
        ):
            self.facts[-1] = ChatDelta(text=last.text + fact.text)
        else:
            self.facts.append(fact)
        self.changed.set()
        return True


class Works:
    """All of them, by the job's number and by that at the agent."""

    def __init__(self) -> None:
        self._by_number: dict[int, Work] = {}
        self._by_wire: dict[int, Work] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, work: Work) -> None:
        self._by_number[work.job.number] = work

    def numbered(self, number: int) -> Work | None:
        """The work of a job."""
        return self._by_number.get(number)

    def all(self) -> Iterable[Work]:
        """Every job of the scheduler."""
        return list(self._by_number.values())

    def is_scheduled(self, work: Work) -> bool:
        """Whether it is a job of the scheduler."""
        return work.job.number in self._by_number

    def at(self, wire: int, instance: str) -> Work | None:
        """The work that an agent speaks of; None if it is not its own."""
        work = self._by_wire.get(wire)
        return work if work is not None and work.instance == instance else None

    def of(self, instance: str) -> Iterable[Work]:
        """What an agent does."""
        return [work for work in self._by_wire.values() if work.instance == instance]

    def give(self, work: Work, instance: str, wire: int) -> None:
        """An agent does it under the number ``wire``."""
        work.instance, work.wire = instance, wire
        self._by_wire[wire] = work

    def take_back(self, work: Work) -> None:
        """No agent does it any more."""
        self._by_wire.pop(work.wire, None)
        work.restart()

    def remove(self, work: Work) -> None:
        self._by_wire.pop(work.wire, None)
        self._by_number.pop(work.job.number, None)
