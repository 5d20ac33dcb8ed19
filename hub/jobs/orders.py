"""What a caller hands to the desk, and what it gets back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hub.jobs.job import PRIMARY, JobClass, Rank
from protocols.envelope import Message
from protocols.messages.agent import AgentKind
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone
from protocols.messages.image import ImageDone, ImageProgress
from protocols.messages.memory import (
    DocumentsKept,
    DocumentsListed,
    EmbedDone,
    MemoryState,
    RetrieveDone,
)
from protocols.messages.transcribe import TranscribeDone, TranscribeSegment
from protocols.messages.vision import DetectDone, GroundDone

RESULT_BYTES = 64 * 1024 * 1024
"""Most bytes that one job may bring back."""

Blob = bytes | bytearray
"""Nobody changes it: what was laid together in steps is not copied once more."""

ANSWERS: tuple[type[Message], ...] = (
    ChatDelta,
    ChatDone,
    TranscribeSegment,
    TranscribeDone,
    GroundDone,
    DetectDone,
    ImageProgress,
    ImageDone,
    EmbedDone,
    DocumentsKept,
    DocumentsListed,
    RetrieveDone,
    MemoryState,
)
"""Facts that are answers to orders; the reader of a job gets them in order."""


class Caller(NamedTuple):
    """Who wants a job done. ``client`` names the credential it came with, ``robot`` whom it is
    for; the job ends as expired after ``deadline_s``."""

    client: str = ""
    robot: str = ""
    job_class: JobClass = JobClass.INTERACTIVE
    rank: int = Rank.FIRST
    deadline_s: float = 60.0


NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class JobOrder:
    """One request to an agent. ``blobs`` are the bytes that its ``BlobRef``s name, by index;
    ``cost`` is the estimated time of the engine in seconds."""

    agent: AgentKind
    request: Message
    caller: Caller = NOBODY
    role: str = PRIMARY
    model: str = ""
    cost: float = 1.0
    blobs: tuple[Blob, ...] = ()
    repeatable: bool = True
    """Nothing is changed by doing it twice."""


class JobFact(NamedTuple):
    """A fact that a job has told, and the bytes that it names, in the order it names them."""

    body: Message
    blobs: tuple[bytes, ...] = ()


def refs_of(message: Message) -> Iterator[BlobRef]:
    """The blobs that an answer names."""
    for field in message.__struct_fields__:
        value = getattr(message, field)
        if isinstance(value, BlobRef):
            yield value
        elif isinstance(value, tuple):
            yield from (each for each in value if isinstance(each, BlobRef))
