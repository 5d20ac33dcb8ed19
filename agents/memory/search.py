"""Passages of a knowledge base by their vectors and by their words, inside one read of the store."""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.memory.backends.base import Vector, Vectors
from agents.memory.documents import STORED, base_id
from agents.memory.errors import UnknownBase
from agents.memory.fusion import fuse
from agents.memory.limits import CACHED_VECTOR_BYTES, CANDIDATES
from agents.memory.words import match_of
from protocols.messages.memory import Passage

_WEIGHTS = "1.0, 2.0, 1.0"
"""Of a word in the document's name, in a heading and in the text: headings say what it is about."""

Ids = NDArray[np.int64]


class Question(NamedTuple):
    """What is looked for in ``base``; ``vector`` is the query's in ``space``, if there is one."""

    base: str
    query: str
    limit: int
    vector: Vector | None = None
    space: str = ""


class _Cached(NamedTuple):
    revision: int
    ids: Ids
    vectors: Vectors


class Searcher:
    """Keeps the vectors of the bases that were asked last ready in memory, at most ``max_bytes`` of
    them. Used by the thread that reads."""

    def __init__(self, max_bytes: int = CACHED_VECTOR_BYTES) -> None:
        self._max_bytes = max_bytes
        self._cached: OrderedDict[tuple[int, str], _Cached] = OrderedDict()

    def search(self, db: sqlite3.Connection, question: Question) -> list[Passage]:
        """The passages, the best first: the rankings by vector and by words, fused. Where the query
        or the base has no vectors, its words alone count.

        Raises:
            UnknownBase: there is no such base.
        """
        base = base_id(db, question.base)
        if base is None:
            raise UnknownBase(f"there is no knowledge base {question.base}")
        by_words = _by_words(db, base, question.query)
        similar: dict[int, float] = {}
        if question.vector is not None:
            similar = self._by_vector(db, base, question.vector, question.space)
        rankings = [list(similar), by_words] if similar else [by_words]
        best = fuse(rankings)[: question.limit]
        scores = {one.item: one.score for one in best}
        return _passages(db, scores, similar)

    def load(self, db: sqlite3.Connection, base_name: str, space: str) -> None:
        """Make the vectors of a base ready before they are needed."""
        base = base_id(db, base_name)
        if base is not None:
            self._vectors(db, base, space)

    def _by_vector(
        self, db: sqlite3.Connection, base: int, vector: Vector, space: str
    ) -> dict[int, float]:
        """The nearest chunks, the nearest first, and the cosine of each. Every chunk is compared."""
        _, ids, vectors = self._vectors(db, base, space)
        if not len(ids) or vectors.shape[1] != len(vector):
            return {}
        cosines = vectors @ vector
        count = min(CANDIDATES, len(ids))
        nearest = np.argpartition(-cosines, count - 1)[:count]
        nearest = nearest[np.argsort(-cosines[nearest], kind="stable")]
        return {int(ids[i]): float(cosines[i]) for i in nearest}

    def _vectors(self, db: sqlite3.Connection, base: int, space: str) -> _Cached:
        (revision,) = db.execute("SELECT revision FROM bases WHERE id = ?", (base,)).fetchone()
        key = base, space
        cached = self._cached.get(key)
        if cached is None or cached.revision != revision:
            cached = _Cached(revision, *_load(db, base, space))
            self._cached[key] = cached
        self._cached.move_to_end(key)
        while len(self._cached) > 1 and self._bytes() > self._max_bytes:
            self._cached.popitem(last=False)
        return cached

    def _bytes(self) -> int:
        return sum(one.vectors.nbytes for one in self._cached.values())


def _load(db: sqlite3.Connection, base: int, space: str) -> tuple[Ids, Vectors]:
    rows = db.execute(
        "SELECT chunk, vector FROM vectors WHERE base = ? AND space ="
        " (SELECT id FROM spaces WHERE name = ?) ORDER BY chunk",
        (base, space),
    ).fetchall()
    ids = np.fromiter((chunk for chunk, _ in rows), np.int64, len(rows))
    if not rows:
        return ids, np.empty((0, 0), np.float32)
    packed = np.frombuffer(b"".join(vector for _, vector in rows), STORED)
    return ids, packed.astype(np.float32).reshape(len(rows), -1)


def _by_words(db: sqlite3.Connection, base: int, query: str) -> list[int]:
    """Chunks with words of the query, the best by BM25 first."""
    match = match_of(query)
    if not match:
        return []
    rows = db.execute(
        f"SELECT rowid FROM words_{base} WHERE words_{base} MATCH ?"
        f" ORDER BY bm25(words_{base}, {_WEIGHTS}) LIMIT ?",
        (match, CANDIDATES),
    )
    return [chunk for (chunk,) in rows]


def _passages(
    db: sqlite3.Connection, scores: dict[int, float], similar: dict[int, float]
) -> list[Passage]:
    marks = ", ".join("?" * len(scores))
    rows = db.execute(
        "SELECT c.id, d.name, c.number, c.text, c.first, c.last, c.heading"
        f" FROM chunks c JOIN documents d ON d.id = c.document WHERE c.id IN ({marks})",
        list(scores),
    )
    found = {row[0]: row[1:] for row in rows}
    return [_passage(found[chunk], scores[chunk], similar.get(chunk, 0.0)) for chunk in scores]


def _passage(row: Sequence[object], score: float, similarity: float) -> Passage:
    document, number, text, first, last, heading = row
    return Passage(
        document=str(document),
        chunk=int(str(number)),
        text=str(text),
        score=round(score, 4),
        similarity=round(max(0.0, min(1.0, similarity)), 4),
        first=int(str(first)),
        last=int(str(last)),
        heading=str(heading),
    )
