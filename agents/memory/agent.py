"""Memory on the bus: vectors of texts, documents that are kept and found, and what robots remember.

Every order is a job; its answer comes before ``job.done``.
"""

from collections import Counter

import numpy as np

from agents.memory.backends.base import Embedders
from agents.memory.documents import Kept
from agents.memory.errors import NoRobot
from agents.memory.library import Library
from agents.memory.limits import MAX_DOCUMENT_BYTES, MAX_LISTED, MAX_TEXTS_BYTES
from agents.memory.robots import RobotMemories
from agents.memory.texts import texts_of
from agents.runtime.blobs import OFFER, OFFER_ENDS, OFFER_PARTS, PULL, PULL_ASKS, offer, pull
from agents.runtime.latch import Latch
from agents.runtime.service import Emit, Inbox, Scope
from protocols.envelope import Message
from protocols.messages.blob import BlobRef
from protocols.messages.job import JobDone
from protocols.messages.memory import (
    DocumentAdd,
    DocumentRemove,
    DocumentsEmbed,
    DocumentsKept,
    DocumentsList,
    DocumentsListed,
    EmbedDone,
    EmbedRequest,
    MemoryConsent,
    MemoryForget,
    MemoryNote,
    MemoryRecall,
    MemoryState,
    RetrieveDone,
    RetrieveRequest,
)

Messages = frozenset[type[Message]]

_LITTLE_ENDIAN = np.dtype("<f4")


class Embeddings:
    """Makes vectors of texts, held between two batches while a robot is being answered; few texts are
    one batch."""

    name = "embeddings"
    scope = Scope.JOB
    opens: Messages = frozenset({EmbedRequest})
    consumes: Messages = PULL | OFFER
    closes: Messages = OFFER_ENDS
    produces: Messages = frozenset({EmbedDone, JobDone, *PULL_ASKS, *OFFER_PARTS})

    def __init__(self, embedders: Embedders, latch: Latch) -> None:
        self._embedders = embedders
        self._latch = latch

    @property
    def counters(self) -> Counter[str]:
        """Of the embedders; they go out with the agent's heartbeat."""
        return self._embedders.counters

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Embed the texts of one order.

        Raises:
            AgentError: they are no texts (``bad_texts``), or there is no embedder, or it failed.
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, EmbedRequest)
        texts = texts_of(await pull(inbox, emit, request.texts, MAX_TEXTS_BYTES))
        parts: list[bytes] = []
        tokens = truncated = dimensions = 0
        async with self._embedders.lease() as embedder:
            for begin in range(0, len(texts), embedder.batch):
                if begin:
                    await self._latch.wait()
                some = await embedder.embed(texts[begin : begin + embedder.batch])
                parts.append(some.vectors.astype(_LITTLE_ENDIAN).tobytes())
                tokens, truncated = tokens + some.tokens, truncated + some.truncated
                dimensions = some.vectors.shape[1]
            model = embedder.model
        vectors = b"".join(parts)
        emit(
            EmbedDone(
                vectors=BlobRef(index=0, size_bytes=len(vectors)),
                count=len(texts),
                dimensions=dimensions,
                tokens=tokens,
                model=model,
                truncated=truncated,
            )
        )
        await offer(inbox, emit, [vectors])
        emit(JobDone())


class Documents:
    """Keeps, lists and forgets documents of knowledge bases."""

    name = "documents"
    scope = Scope.JOB
    opens: Messages = frozenset({DocumentAdd, DocumentRemove, DocumentsEmbed, DocumentsList})
    consumes: Messages = PULL
    closes: Messages = frozenset()
    produces: Messages = frozenset({DocumentsKept, DocumentsListed, JobDone, *PULL_ASKS})

    def __init__(self, library: Library) -> None:
        self._library = library

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Carry out one order.

        Raises:
            AgentError: the code says why; what the base held, it holds.
        """
        order = (await anext(inbox)).envelope.body
        match order:
            case DocumentAdd(base=base, name=name, content=content):
                data = await pull(inbox, emit, content, MAX_DOCUMENT_BYTES)
                kept = await self._library.add(base, name, data)
            case DocumentRemove(base=base, name=name):
                kept = await self._library.remove(base, name)
            case DocumentsEmbed(base=base):
                kept = await self._library.embed(base)
            case DocumentsList():
                emit(await self._listed(order))
                emit(JobDone())
                return
            case _:
                raise AssertionError(f"{order!r} does not open a scope of this service")
        emit(_said(base, kept))
        emit(JobDone())

    async def _listed(self, order: DocumentsList) -> DocumentsListed:
        if not order.base:
            return DocumentsListed(bases=tuple(await self._library.bases()))
        limit = max(1, min(order.limit, MAX_LISTED))
        found = await self._library.documents(order.base, order.after, limit + 1)
        return DocumentsListed(
            base=order.base, documents=tuple(found[:limit]), more=len(found) > limit
        )


class Retrieval:
    """Answers what the documents of a knowledge base say."""

    name = "retrieval"
    scope = Scope.JOB
    opens: Messages = frozenset({RetrieveRequest})
    consumes: Messages = frozenset()
    closes: Messages = frozenset()
    produces: Messages = frozenset({RetrieveDone, JobDone})

    def __init__(self, library: Library) -> None:
        self._library = library

    @property
    def counters(self) -> Counter[str]:
        """Of the library."""
        return self._library.counters

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Answer one question.

        Raises:
            AgentError: ``bad_name``, ``bad_query``, ``unknown_base``, or the disk failed.
        """
        asked = (await anext(inbox)).envelope.body
        assert isinstance(asked, RetrieveRequest)
        found = await self._library.retrieve(asked.base, asked.query, asked.limit)
        emit(RetrieveDone(passages=tuple(found)))
        emit(JobDone())


class Remembrance:
    """Keeps what robots may remember, and says what they do."""

    name = "remembrance"
    scope = Scope.JOB
    opens: Messages = frozenset({MemoryNote, MemoryConsent, MemoryForget, MemoryRecall})
    consumes: Messages = frozenset()
    closes: Messages = frozenset()
    produces: Messages = frozenset({MemoryState, JobDone})

    def __init__(self, memories: RobotMemories) -> None:
        self._memories = memories

    @property
    def counters(self) -> Counter[str]:
        """Of what was refused, by the reason."""
        return self._memories.counters

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Carry out one order of the envelope's robot.

        Raises:
            AgentError: it names no robot (``no_robot``), or the disk failed.
        """
        envelope = (await anext(inbox)).envelope
        robot = envelope.robot
        if not robot:
            raise NoRobot("the order does not say whose memory is meant")
        match envelope.body:
            case MemoryNote(tags=tags, source=source):
                state = await self._memories.note(robot, tags, source)
            case MemoryConsent(granted=granted):
                state = await self._memories.consent(robot, granted)
            case MemoryForget(tags=tags):
                state = await self._memories.forget(robot, tags)
            case MemoryRecall(limit=limit):
                state = await self._memories.recall(robot, limit)
            case order:
                raise AssertionError(f"{order!r} does not open a scope of this service")
        emit(state)
        emit(JobDone())


def _said(base: str, kept: Kept) -> DocumentsKept:
    return DocumentsKept(
        base=base,
        documents=kept.documents,
        chunks=kept.chunks,
        touched=kept.touched,
        embedded=kept.embedded,
    )
