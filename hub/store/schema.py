"""The tables of ``hub.db`` and how an older file becomes a current one."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from hub.errors import DataDirUnusable, DiskFull, StoreTooNew

FILE = "hub.db"

MIGRATIONS = (
    """
    CREATE TABLE hub (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE robots (
        robot TEXT PRIMARY KEY,
        epoch INTEGER NOT NULL DEFAULT 0,
        turn INTEGER NOT NULL DEFAULT 0,
        seen_s REAL NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE turns (
        robot TEXT NOT NULL,
        turn INTEGER NOT NULL,
        session TEXT NOT NULL,
        at_s REAL NOT NULL,
        user TEXT NOT NULL,
        heard TEXT NOT NULL,
        emotion TEXT NOT NULL,
        interrupted INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        PRIMARY KEY (robot, turn)
    ) WITHOUT ROWID;
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL,
        robot TEXT NOT NULL,
        label TEXT NOT NULL,
        created_s REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at_s REAL NOT NULL,
        event TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE open_turns (
        robot TEXT PRIMARY KEY,
        turn INTEGER NOT NULL,
        at_s REAL NOT NULL,
        record BLOB NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE tokens ADD COLUMN scope TEXT NOT NULL DEFAULT 'client';
    ALTER TABLE tokens ADD COLUMN rate INTEGER;
    UPDATE tokens SET scope = 'robot' WHERE robot != '*';
    """,
    """
    CREATE TABLE reminders (
        id TEXT PRIMARY KEY,
        robot TEXT NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        due_s REAL NOT NULL,
        set_s REAL NOT NULL,
        seconds REAL NOT NULL,
        begun INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""Script ``n`` brings a file from ``user_version`` n to n + 1."""

_BUSY_MS = 5_000
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def connect(data_dir: Path) -> sqlite3.Connection:
    """Open ``hub.db`` in ``data_dir`` with its tables up to date.

    Every commit is on the disk when it returns (WAL, ``synchronous=FULL``). A second process may
    open the file for a short transaction, as ``robot-hub tokens`` does.

    Raises:
        StoreTooNew: a newer Robot Hub wrote the file.
        DataDirUnusable: it cannot be opened, or it is no database; ``DiskFull`` where that may
            change.
    """
    path = data_dir / FILE
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        path.chmod(0o600)
        _migrate(db, path)
    except (sqlite3.Error, OSError) as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM
        kind = DiskFull if full else DataDirUnusable
        raise kind(f"{path} cannot be used: {error}") from error
    return db


def connect_to_read(data_dir: Path) -> sqlite3.Connection:
    """A second connection to a ``hub.db`` that ``connect`` has opened: it changes nothing and waits
    for nobody."""
    db = sqlite3.connect(data_dir / FILE, timeout=0, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA query_only = ON")
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    with transaction(db):
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StoreTooNew(
                f"{path} has version {version}, written by a newer Robot Hub; "
                f"this one knows versions up to {len(MIGRATIONS)}"
            )
        for script in MIGRATIONS[version:]:
            for statement in filter(str.strip, script.split(";")):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Everything inside is committed together, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
