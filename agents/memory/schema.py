"""The tables of ``memory.db`` and how an older file becomes a current one.

The full-text index of a knowledge base is a table of its own (``words_<id>``), so that what is rare
in one base is not common for another's sake, and a base that goes takes its words along.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from agents.memory.errors import DiskFull, StoreFailed, StoreLocked, StoreTooNew

FILE = "memory.db"
BUSY_MS = 5_000

MIGRATIONS = (
    """
    CREATE TABLE bases (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        revision INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        base INTEGER NOT NULL REFERENCES bases,
        name TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        at_s REAL NOT NULL,
        UNIQUE (base, name)
    );
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY,
        document INTEGER NOT NULL REFERENCES documents,
        base INTEGER NOT NULL,
        number INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        heading TEXT NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX chunks_of_document ON chunks (document);
    CREATE INDEX chunks_of_base ON chunks (base);
    CREATE TABLE spaces (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    );
    CREATE TABLE vectors (
        chunk INTEGER PRIMARY KEY REFERENCES chunks,
        base INTEGER NOT NULL,
        space INTEGER NOT NULL REFERENCES spaces,
        vector BLOB NOT NULL
    );
    CREATE INDEX vectors_of_base ON vectors (base, space);
    CREATE TABLE consents (
        robot TEXT PRIMARY KEY,
        granted INTEGER NOT NULL,
        at_s REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE memories (
        robot TEXT NOT NULL,
        category TEXT NOT NULL,
        tag TEXT NOT NULL,
        valence_bias REAL NOT NULL,
        arousal_bias REAL NOT NULL,
        initial_strength REAL NOT NULL,
        created_s REAL NOT NULL,
        reinforced_s REAL NOT NULL,
        reinforcements INTEGER NOT NULL,
        decay_lambda REAL NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (robot, category, tag)
    ) WITHOUT ROWID;
    """,
)
"""Script ``n`` brings a file from ``user_version`` n to n + 1."""

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def connect(directory: Path, busy_ms: int = BUSY_MS, *, writes: bool = True) -> sqlite3.Connection:
    """Open ``memory.db`` in ``directory``; one that ``writes`` brings its tables up to date.

    Every commit is on the disk when it returns (WAL, ``synchronous=FULL``), and what is deleted is
    overwritten.

    Raises:
        StoreFailed: it cannot be used; the kind of error says why.
    """
    path = directory / FILE
    db = None
    try:
        if writes:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout = {busy_ms}")
        if writes:
            _prepare(db, path)
        else:
            db.execute("PRAGMA query_only = ON")
    except (sqlite3.Error, OSError) as error:
        if db is not None:
            db.close()
        raise coded(error, path) from error
    except BaseException:
        if db is not None:
            db.close()
        raise
    return db


def coded(error: sqlite3.Error | OSError, path: Path) -> StoreFailed:
    """What went wrong, for whoever gave the order. SQLite's texts quote no stored value."""
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    kind = StoreFailed
    if number in _LOCKED:
        kind = StoreLocked
    elif number in _NO_ROOM:
        kind = DiskFull
    return kind(f"{path.name} cannot be used: {error}")


@contextlib.contextmanager
def transaction(db: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Everything inside is committed together, or nothing of it."""
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has rolled it back already
            db.execute("ROLLBACK")
        raise


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON")
    path.chmod(0o600)
    with transaction(db):
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StoreTooNew(
                f"{path.name} has version {version}, written by a newer Robot Hub; "
                f"this one knows versions up to {len(MIGRATIONS)}"
            )
        for script in MIGRATIONS[version:]:
            for statement in filter(str.strip, script.split(";")):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
