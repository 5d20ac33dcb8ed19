"""Knowledge bases: documents are cut, embedded and kept; questions are answered with passages.

Vectors are a help and never a condition: where they cannot be had, a document is kept and found by
its words, it is counted, and ``embed`` gives it its vectors later.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice, zip_longest
from typing import NamedTuple

import structlog

from agents.memory import documents
from agents.memory.backends.base import Embedder, Embedders, Vector
from agents.memory.chunking import Chunk, ChunkRules, chunks_of
from agents.memory.documents import Kept, NewDocument, Unembedded
from agents.memory.errors import BadQuery, BaseFull, EmptyDocument, UnknownBase
from agents.memory.limits import MAX_PASSAGES, MAX_QUERY_CHARS, BaseLimits
from agents.memory.names import checked_base, checked_document
from agents.memory.search import Question, Searcher
from agents.memory.store import Store, wall_clock
from agents.memory.texts import embedded_as, text_of
from agents.runtime.errors import BackendBusy, BackendTimeout, BackendUnavailable
from agents.runtime.latch import Latch
from agents.runtime.progress import progress
from protocols.messages.memory import BaseEntry, DocumentEntry, Passage

QUERY_EMBED_S = 2.0
"""How long the vector of a question may take before its words alone are looked for."""
REST_S = 10.0
"""How long an embedder that failed is left alone by questions."""
ROUND = 256
"""Chunks that get their vectors in one transaction, where a base is given new ones."""

PASSING = (BackendUnavailable, BackendBusy, BackendTimeout)
"""Failures of an embedder that say nothing about the text."""

log = structlog.get_logger(__name__)


class LibraryOptions(NamedTuple):
    """Numbers of a library."""

    rules: ChunkRules = ChunkRules()
    limits: BaseLimits = BaseLimits()


class Library:
    """All knowledge bases. ``latch`` holds the embedding of documents, between two batches, while a
    robot is being answered; questions never wait for it."""

    def __init__(
        self,
        store: Store,
        embedders: Embedders,
        latch: Latch,
        options: LibraryOptions = LibraryOptions(),  # noqa: B008 - immutable
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        self._store = store
        self._embedders = embedders
        self._latch = latch
        self._rules, self._limits = options
        self._clock = clock
        self._searcher = Searcher()
        self._resting_until = 0.0
        self.counters: Counter[str] = Counter()

    async def add(self, base: str, name: str, data: bytes) -> Kept:
        """Keep a document in place of one of the same name. Whoever looks for passages meanwhile
        finds the old one whole, and then the new one whole.

        Raises:
            BadName, NotText, EmptyDocument, BaseFull, StoreFailed: nothing was changed.
        """
        base, name = checked_base(base), checked_document(name)
        chunks = await asyncio.to_thread(self._chunked, data)
        vectors, space = await self._vectors_for(name, chunks)
        lacking = len(chunks) - len(vectors)
        if lacking:
            self.counters["chunks.without_vector"] += lacking
        rows = zip_longest(chunks, vectors)
        new = NewDocument(base, name, len(data), self._clock(), rows, space)
        touched = await self._store.write(lambda db: documents.put(db, new, self._limits))
        return await self._kept(base, touched)

    async def remove(self, base: str, name: str = "") -> Kept:
        """Forget a document, or without a name the whole base, on the disk too. What is not there is
        forgotten already.

        Raises:
            BadName, StoreFailed: nothing was changed.
        """
        base = checked_base(base)
        gone = await self._store.write(lambda db: documents.remove(db, base, name))
        if gone:
            await self._store.wipe()
        return await self._kept(base, gone)

    async def embed(self, base: str) -> Kept:
        """Give every chunk of a base a vector of the model that serves now, in place of those of any
        other. What has got one keeps it if this is stopped.

        Raises:
            AgentError: there is no such base (``unknown_base``), or the embedder failed.
        """
        base, given, after = checked_base(base), 0, 0
        async with self._embedders.lease() as embedder:
            space = embedder.space
            held = await self._store.read(lambda db: documents.kept(db, base, space))
            if not held.chunks:
                raise UnknownBase(f"there is no knowledge base {base}")
            while some := await self._store.read(
                partial(documents.unembedded, base_name=base, space=space, after=after, limit=ROUND)
            ):
                given += await self._give(base, embedder, some)
                after = some[-1].chunk
                progress(f"embedding {base}", held.embedded + given, held.chunks, "chunks")
        return await self._kept(base, given)

    async def bases(self) -> Sequence[BaseEntry]:
        """Every base, by name; raises ``StoreFailed``."""
        return await self._store.read(documents.bases)

    async def documents(self, base: str, after: str, limit: int) -> Sequence[DocumentEntry]:
        """At most ``limit`` documents of a base, by name, those behind ``after``.

        Raises:
            BadName, UnknownBase, StoreFailed: as they say.
        """
        base = checked_base(base)
        found = await self._store.read(lambda db: documents.listed(db, base, after, limit))
        if found is None:
            raise UnknownBase(f"there is no knowledge base {base}")
        return found

    async def retrieve(self, base: str, query: str, limit: int) -> Sequence[Passage]:
        """At most ``limit`` passages on ``query``, the best first.

        Raises:
            BadName, BadQuery, UnknownBase, StoreFailed: as they say.
        """
        base = checked_base(base)
        if not query.strip() or len(query) > MAX_QUERY_CHARS or limit < 1:
            raise BadQuery(f"a query is 1 to {MAX_QUERY_CHARS} characters, its limit at least 1")
        vector, space = await self._vector_of(query)
        question = Question(base, query, min(limit, MAX_PASSAGES), vector, space)
        return await self._store.read(lambda db: self._searcher.search(db, question))

    async def _give(self, base: str, embedder: Embedder, some: Sequence[Unembedded]) -> int:
        """Give some chunks their vectors; how many of them are still there."""
        texts = [embedded_as(one.document, one.heading, one.text) for one in some]
        vectors = await self._batches(embedder, texts)
        pairs = [(one.chunk, vector) for one, vector in zip(some, vectors, strict=True)]
        space = embedder.space
        return await self._store.write(lambda db: documents.put_vectors(db, base, space, pairs))

    async def _vector_of(self, query: str) -> tuple[Vector | None, str]:
        """The vector of a question and its space; None where words must do."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._resting_until:
            self.counters["queries.by_words"] += 1
            return None, ""
        try:
            async with asyncio.timeout(QUERY_EMBED_S), self._embedders.lease() as embedder:
                embedded = await embedder.embed([query])
                return embedded.vectors[0], embedder.space
        except (*PASSING, TimeoutError) as error:
            self._fails(error)
            self._resting_until = loop.time() + REST_S
            self.counters["queries.by_words"] += 1
            return None, ""

    def _chunked(self, data: bytes) -> list[Chunk]:
        text = text_of(data)
        most = self._limits.chunks
        chunks = list(islice(chunks_of(text, self._rules), most + 1))
        if not chunks:
            raise EmptyDocument("the document has no words")
        if len(chunks) > most:
            raise BaseFull(f"a knowledge base holds {most} chunks at the most")
        return chunks

    async def _vectors_for(self, name: str, chunks: Sequence[Chunk]) -> tuple[list[bytes], str]:
        """The vectors of a document's chunks, all of one space or none."""
        texts = [embedded_as(name, chunk.heading, chunk.text) for chunk in chunks]
        try:
            async with self._embedders.lease() as embedder:
                return await self._batches(embedder, texts), embedder.space
        except PASSING as error:
            self._fails(error)
            return [], ""

    async def _batches(self, embedder: Embedder, texts: Sequence[str]) -> list[bytes]:
        """The vectors of ``texts`` as they are kept."""
        vectors: list[bytes] = []
        for begin in range(0, len(texts), embedder.batch):
            await self._latch.wait()
            embedded = await embedder.embed(texts[begin : begin + embedder.batch])
            vectors += documents.stored(embedded.vectors)
            if len(texts) > embedder.batch:
                progress("embedding", len(vectors), len(texts), "chunks")
        return vectors

    async def _kept(self, base: str, touched: int) -> Kept:
        """How much a base holds; whoever asks it next finds its vectors ready."""
        space = self._embedders.space

        def query(db: sqlite3.Connection) -> Kept:
            self._searcher.load(db, base, space)
            return documents.kept(db, base, space, touched)

        return await self._store.read(query)

    def _fails(self, error: BaseException) -> None:
        code = getattr(error, "code", BackendTimeout.code)
        self.counters[f"embedder.{code}"] += 1
        log.warning("embedder_failed", code=code, detail=str(error))
