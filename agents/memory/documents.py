"""Documents on the disk: what is done inside one transaction of the store."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from agents.memory.backends.base import Vectors
from agents.memory.chunking import Chunk
from agents.memory.errors import BaseFull
from agents.memory.limits import BaseLimits
from protocols.messages.memory import BaseEntry, DocumentEntry

STORED = np.dtype("<f2")
"""Half precision moves a cosine by less than 0.001, and halves the file."""


class NewDocument(NamedTuple):
    """A document that is to be kept. ``rows`` come as they are written: its chunks, each with its
    vector in ``space``, or without one."""

    base: str
    name: str
    size_bytes: int
    at_s: float
    rows: Iterable[tuple[Chunk, bytes | None]]
    space: str = ""


class Kept(NamedTuple):
    """How much a knowledge base holds. ``embedded`` of its chunks have a vector in the space that
    was asked for."""

    documents: int = 0
    chunks: int = 0
    embedded: int = 0
    touched: int = 0


class Unembedded(NamedTuple):
    """A chunk without a vector in some space, and what it is embedded as."""

    chunk: int
    document: str
    heading: str
    text: str


def stored(vectors: Vectors) -> list[bytes]:
    """``vectors`` as they are kept, one by one."""
    return [vector.tobytes() for vector in vectors.astype(STORED)]


def put(db: sqlite3.Connection, new: NewDocument, limits: BaseLimits) -> int:
    """Keep a document in place of one of the same name; how many chunks it has.

    Raises:
        BaseFull: the base would hold more than it may.
    """
    base = _base_for(db, new.base, limits)
    _delete(db, base, new.name)
    _check_room(db, base, new.size_bytes, limits)
    document = db.execute(
        "INSERT INTO documents (base, name, bytes, at_s) VALUES (?, ?, ?, ?)",
        (base, new.name, new.size_bytes, new.at_s),
    ).lastrowid
    assert document is not None
    space = _space_for(db, new.space) if new.space else 0
    before = _chunks(db, base)
    count = 0
    for count, (chunk, vector) in enumerate(new.rows, 1):
        if before + count > limits.chunks:
            raise BaseFull(f"a knowledge base holds {limits.chunks} chunks at the most")
        number = _insert(db, base, document, new.name, chunk)
        if vector is not None:
            _put_vector(db, base, space, number, vector)
    _changed(db, base)
    return count


def remove(db: sqlite3.Connection, base_name: str, name: str) -> int:
    """Forget a document, or the whole base where ``name`` is empty; how many chunks that were."""
    base = base_id(db, base_name)
    if base is None:
        return 0
    names = [name] if name else _names(db, base)
    gone = sum(_delete(db, base, each) for each in names)
    if not _names(db, base):
        db.execute(f"DROP TABLE words_{base}")
        db.execute("DELETE FROM bases WHERE id = ?", (base,))
    elif gone:
        # Else the words of what was forgotten would stay in the index until others replace them.
        db.execute(f"INSERT INTO words_{base} (words_{base}) VALUES ('optimize')")
        _changed(db, base)
    return gone


def kept(db: sqlite3.Connection, base_name: str, space: str = "", touched: int = 0) -> Kept:
    """How much a base holds; nothing if there is none of that name."""
    base = base_id(db, base_name)
    if base is None:
        return Kept(touched=touched)
    (documents,) = db.execute("SELECT count(*) FROM documents WHERE base = ?", (base,)).fetchone()
    (embedded,) = db.execute(
        "SELECT count(*) FROM vectors WHERE base = ? AND space ="
        " (SELECT id FROM spaces WHERE name = ?)",
        (base, space),
    ).fetchone()
    return Kept(documents, _chunks(db, base), embedded, touched)


def listed(
    db: sqlite3.Connection, base_name: str, after: str, limit: int
) -> Sequence[DocumentEntry] | None:
    """At most ``limit`` documents of a base, by name, those behind ``after``; None if there is no
    such base."""
    base = base_id(db, base_name)
    if base is None:
        return None
    rows = db.execute(
        "SELECT d.name, d.bytes, d.at_s, (SELECT count(*) FROM chunks c WHERE c.document = d.id)"
        " FROM documents d WHERE d.base = ? AND d.name > ? ORDER BY d.name LIMIT ?",
        (base, after, limit),
    )
    return [
        DocumentEntry(name=name, chunks=chunks, size_bytes=size, at_s=at_s)
        for name, size, at_s, chunks in rows
    ]


def bases(db: sqlite3.Connection) -> Sequence[BaseEntry]:
    """Every base, by name."""
    rows = db.execute(
        "SELECT b.name, (SELECT count(*) FROM documents d WHERE d.base = b.id),"
        " (SELECT count(*) FROM chunks c WHERE c.base = b.id),"
        " (SELECT coalesce(sum(d.bytes), 0) FROM documents d WHERE d.base = b.id)"
        " FROM bases b ORDER BY b.name"
    )
    return [
        BaseEntry(base=name, documents=documents, chunks=chunks, size_bytes=size)
        for name, documents, chunks, size in rows
    ]


def unembedded(
    db: sqlite3.Connection, base_name: str, space: str, after: int, limit: int
) -> Sequence[Unembedded]:
    """The next chunks, by their ids, that have no vector in ``space``."""
    rows = db.execute(
        "SELECT c.id, d.name, c.heading, c.text FROM chunks c JOIN documents d ON d.id = c.document"
        " LEFT JOIN vectors v ON v.chunk = c.id"
        " AND v.space = (SELECT id FROM spaces WHERE name = ?)"
        " WHERE c.base = (SELECT id FROM bases WHERE name = ?) AND c.id > ? AND v.chunk IS NULL"
        " ORDER BY c.id LIMIT ?",
        (space, base_name, after, limit),
    )
    return [Unembedded(*row) for row in rows]


def put_vectors(
    db: sqlite3.Connection, base_name: str, space: str, vectors: Iterable[tuple[int, bytes]]
) -> int:
    """Give chunks their vectors in ``space``, in place of those of any other; how many of them are
    still there."""
    base = base_id(db, base_name)
    if base is None:
        return 0
    number, given = _space_for(db, space), 0
    for chunk, vector in vectors:
        is_there = "SELECT 1 FROM chunks WHERE id = ? AND base = ?"
        if db.execute(is_there, (chunk, base)).fetchone():
            _put_vector(db, base, number, chunk, vector)
            given += 1
    _changed(db, base)
    return given


def base_id(db: sqlite3.Connection, name: str) -> int | None:
    """The number of a base; None if there is none of that name."""
    row = db.execute("SELECT id FROM bases WHERE name = ?", (name,)).fetchone()
    return row[0] if row is not None else None


def _base_for(db: sqlite3.Connection, name: str, limits: BaseLimits) -> int:
    base = base_id(db, name)
    if base is not None:
        return base
    if db.execute("SELECT count(*) FROM bases").fetchone()[0] >= limits.bases:
        raise BaseFull(f"there are {limits.bases} knowledge bases, and no more may be")
    base = db.execute("INSERT INTO bases (name) VALUES (?)", (name,)).lastrowid
    assert base is not None
    db.execute(
        f"CREATE VIRTUAL TABLE words_{base} USING fts5"
        " (name, heading, text, content='', tokenize='porter unicode61 remove_diacritics 2')"
    )
    return base


def _check_room(db: sqlite3.Connection, base: int, size_bytes: int, limits: BaseLimits) -> None:
    documents, held = db.execute(
        "SELECT count(*), coalesce(sum(bytes), 0) FROM documents WHERE base = ?", (base,)
    ).fetchone()
    if documents + 1 > limits.documents:
        raise BaseFull(f"a knowledge base holds {limits.documents} documents at the most")
    if held + size_bytes > limits.text_bytes:
        raise BaseFull(f"a knowledge base holds {limits.text_bytes} bytes of text at the most")


def _insert(db: sqlite3.Connection, base: int, document: int, name: str, chunk: Chunk) -> int:
    number = db.execute(
        "INSERT INTO chunks (document, base, number, first, last, heading, text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (document, base, chunk.number, chunk.first, chunk.last, chunk.heading, chunk.text),
    ).lastrowid
    assert number is not None
    db.execute(
        f"INSERT INTO words_{base} (rowid, name, heading, text) VALUES (?, ?, ?, ?)",
        (number, name, chunk.heading, chunk.text),
    )
    return number


def _put_vector(db: sqlite3.Connection, base: int, space: int, chunk: int, vector: bytes) -> None:
    db.execute(
        "INSERT OR REPLACE INTO vectors (chunk, base, space, vector) VALUES (?, ?, ?, ?)",
        (chunk, base, space, vector),
    )


def _delete(db: sqlite3.Connection, base: int, name: str) -> int:
    row = db.execute(
        "SELECT id FROM documents WHERE base = ? AND name = ?", (base, name)
    ).fetchone()
    if row is None:
        return 0
    document = row[0]
    # An index that keeps no texts is told what it has to take out.
    db.execute(
        f"INSERT INTO words_{base} (words_{base}, rowid, name, heading, text)"
        " SELECT 'delete', id, ?, heading, text FROM chunks WHERE document = ?",
        (name, document),
    )
    db.execute(
        "DELETE FROM vectors WHERE chunk IN (SELECT id FROM chunks WHERE document = ?)",
        (document,),
    )
    gone = db.execute("DELETE FROM chunks WHERE document = ?", (document,)).rowcount
    db.execute("DELETE FROM documents WHERE id = ?", (document,))
    return gone


def _space_for(db: sqlite3.Connection, name: str) -> int:
    db.execute("INSERT OR IGNORE INTO spaces (name) VALUES (?)", (name,))
    return int(db.execute("SELECT id FROM spaces WHERE name = ?", (name,)).fetchone()[0])


def _chunks(db: sqlite3.Connection, base: int) -> int:
    return int(db.execute("SELECT count(*) FROM chunks WHERE base = ?", (base,)).fetchone()[0])


def _names(db: sqlite3.Connection, base: int) -> list[str]:
    rows = db.execute("SELECT name FROM documents WHERE base = ?", (base,))
    return [name for (name,) in rows]


def _changed(db: sqlite3.Connection, base: int) -> None:
    db.execute("UPDATE bases SET revision = revision + 1 WHERE id = ?", (base,))
