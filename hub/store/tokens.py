"""Credentials: one token per robot, or one for a program that may speak for any robot.

A token is ``rh_<id>_<secret>``; only the SHA-256 of it is stored. The id finds the row, the hash
is compared in constant time.
"""

import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hub.store.schema import connect, transaction
from hub.store.sqlite import SqliteStore, add_audit, wall_clock
from protocols.identity import checked_robot_id

ANY_ROBOT = "*"
"""What stands for the robot of a client token."""

_SECRET_BYTES = 32
_FORM = re.compile(r"rh_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")


class Grant(NamedTuple):
    """What a token allows: everything for ``robot``, or for any robot (``ANY_ROBOT``)."""

    id: str
    robot: str

    @property
    def is_client(self) -> bool:
        return self.robot == ANY_ROBOT

    def covers(self, robot: str) -> bool:
        """Whether the holder may be, or act for, ``robot``."""
        return self.is_client or self.robot == robot


class TokenInfo(NamedTuple):
    """A token as it is listed: everything but the secret."""

    id: str
    robot: str
    label: str
    created_s: float


def create(
    db: sqlite3.Connection,
    robot: str = ANY_ROBOT,
    label: str = "",
    clock: Callable[[], float] = wall_clock,
) -> str:
    """Make a token and return it: the only time that anybody sees it.

    Raises:
        BadIdentity: ``robot`` is neither ``ANY_ROBOT`` nor a legal robot_id.
    """
    if robot != ANY_ROBOT:
        checked_robot_id(robot)
    token_id = secrets.token_hex(4)
    token = f"rh_{token_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    with transaction(db):
        db.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?, ?)",
            (token_id, _hash(token), robot, label, clock()),
        )
        add_audit(db, clock(), "token.added", f"{token_id} for {robot}")
    return token


def listed(db: sqlite3.Connection) -> tuple[TokenInfo, ...]:
    """All tokens, oldest first."""
    rows = db.execute("SELECT id, robot, label, created_s FROM tokens ORDER BY created_s, id")
    return tuple(TokenInfo(*row) for row in rows)


def revoke(db: sqlite3.Connection, token_id: str, clock: Callable[[], float] = wall_clock) -> bool:
    """Make the token worthless from its next use on; False if there is none of that id."""
    with transaction(db):
        gone = db.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount > 0
        if gone:
            add_audit(db, clock(), "token.revoked", token_id)
    return gone


def find(db: sqlite3.Connection, token: str) -> Grant | None:
    """What ``token`` allows; None if it is no token of this hub."""
    form = _FORM.fullmatch(token)
    if form is None:
        return None
    row = db.execute("SELECT hash, robot FROM tokens WHERE id = ?", (form[1],)).fetchone()
    if row is None or not hmac.compare_digest(row[0], _hash(token)):
        return None
    return Grant(form[1], row[1])


def any_defined(db: sqlite3.Connection) -> bool:
    """Whether there is a token at all."""
    return db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone() is not None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def open_tokens(data_dir: Path) -> sqlite3.Connection:
    """A connection for ``robot-hub tokens``, which may run beside the hub. Close it.

    Raises:
        DataDirUnusable: the directory or its ``hub.db`` cannot be used.
    """
    return connect(data_dir)


class StoredTokens:
    """The hub's view of the tokens; asked at every connection, so that adding and revoking act
    without a restart."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def find(self, token: str) -> Grant | None:
        return await self._store.read(lambda db: find(db, token))

    async def any_defined(self) -> bool:
        return await self._store.read(any_defined)
