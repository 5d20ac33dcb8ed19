"""Credentials: what each token allows, for which robot, and how often.

A token is ``rh_<id>_<secret>``; only the SHA-256 of it is stored. The id finds the row, the hash
is compared in constant time.
"""

import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from hub.store.schema import connect, transaction
from hub.store.sqlite import SqliteStore, add_audit, wall_clock
from protocols.errors import HubError
from protocols.identity import checked_robot_id

ANY_ROBOT = "*"
"""What stands for the robot of a token that is no robot's."""

_SECRET_BYTES = 32
_FORM = re.compile(r"rh_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a token is for; what that allows stands in ``hub/edge/rights.py``."""

    ROBOT = "robot"
    """To be one robot, and to work for it."""
    CLIENT = "client"
    """To use models and any robot."""
    OBSERVER = "observer"
    """To look: status, jobs, metrics."""
    ADMIN = "admin"
    """Everything: models, draining, other callers' jobs."""


class BadToken(HubError):
    """A token that was asked for cannot be made: its scope, robot and rate contradict."""

    code = "bad_token"


class UnknownToken(HubError):
    """There is no token of that id."""

    code = "unknown_token"


class Grant(NamedTuple):
    """What a caller may do, and for which robot (``ANY_ROBOT`` where it is no robot's)."""

    id: str
    robot: str
    scope: Scope = Scope.CLIENT
    rate: int | None = None
    """Requests per minute; None: as many as the settings say."""

    def covers(self, robot: str) -> bool:
        """Whether the holder may be, or act for, ``robot``."""
        if self.scope is Scope.ROBOT:
            return self.robot == robot
        return self.scope in (Scope.CLIENT, Scope.ADMIN)


class TokenInfo(NamedTuple):
    """A token as it is listed: everything but the secret."""

    id: str
    robot: str
    label: str
    created_s: float
    scope: str = Scope.CLIENT
    rate: int | None = None


def create(
    db: sqlite3.Connection,
    robot: str = ANY_ROBOT,
    label: str = "",
    clock: Callable[[], float] = wall_clock,
    *,
    scope: Scope | None = None,
    rate: int | None = None,
) -> str:
    """Make a token and return it: the only time that anybody sees it.

    Without a ``scope`` it is ``robot``'s, or a client's where there is no robot.

    Raises:
        BadIdentity: ``robot`` is neither ``ANY_ROBOT`` nor a legal robot_id.
        BadToken: a robot's token needs its robot, any other has none; a rate is at least 1.
    """
    scope = checked(robot, scope, rate)
    with transaction(db):
        return _insert(db, robot, label, clock(), scope, rate)


def checked(robot: str, scope: Scope | None, rate: int | None) -> Scope:
    """The scope of a token that may be made; arguments and errors as those of ``create``."""
    if robot != ANY_ROBOT:
        checked_robot_id(robot)
    if scope is None:
        scope = Scope.CLIENT if robot == ANY_ROBOT else Scope.ROBOT
    if (scope is Scope.ROBOT) != (robot != ANY_ROBOT):
        raise BadToken(
            "a token of scope robot names its robot"
            if scope is Scope.ROBOT
            else f"a token of scope {scope} is no robot's: leave the robot out"
        )
    if rate is not None and rate < 1:
        raise BadToken("a rate is at least one request per minute")
    return scope


def _insert(
    db: sqlite3.Connection, robot: str, label: str, now_s: float, scope: Scope, rate: int | None
) -> str:
    """A new token, within a transaction."""
    token_id = secrets.token_hex(4)
    token = f"rh_{token_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    db.execute(
        "INSERT INTO tokens (id, hash, robot, label, created_s, scope, rate)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (token_id, _hash(token), robot, label, now_s, scope.value, rate),
    )
    add_audit(db, now_s, "token.added", f"{token_id} {scope.value} for {robot}")
    return token


def listed(db: sqlite3.Connection) -> tuple[TokenInfo, ...]:
    """All tokens, oldest first."""
    rows = db.execute(
        "SELECT id, robot, label, created_s, scope, rate FROM tokens ORDER BY created_s, id"
    )
    return tuple(TokenInfo(*row) for row in rows)


def revoke(db: sqlite3.Connection, token_id: str, clock: Callable[[], float] = wall_clock) -> bool:
    """Make the token worthless from its next use on; False if there is none of that id."""
    with transaction(db):
        return _delete(db, token_id, clock())


def _delete(db: sqlite3.Connection, token_id: str, now_s: float) -> bool:
    """Whether there was such a token; it is gone. Within a transaction."""
    gone = db.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount > 0
    if gone:
        add_audit(db, now_s, "token.revoked", token_id)
    return gone


def is_token(text: str) -> bool:
    """Whether ``text`` has the form of a token of a hub."""
    return _FORM.fullmatch(text) is not None


def find(db: sqlite3.Connection, token: str) -> Grant | None:
    """What ``token`` allows; None if it is no token of this hub."""
    form = _FORM.fullmatch(token)
    if form is None:
        return None
    row = db.execute(
        "SELECT hash, robot, scope, rate FROM tokens WHERE id = ?", (form[1],)
    ).fetchone()
    stored = row[0] if row is not None else bytes(hashlib.sha256().digest_size)
    if not hmac.compare_digest(stored, _hash(token)) or row is None:
        return None
    return _grant(form[1], *row[1:])


def find_by_id(db: sqlite3.Connection, token_id: str) -> Grant | None:
    """What the token of that id allows; None if it was revoked."""
    row = db.execute("SELECT robot, scope, rate FROM tokens WHERE id = ?", (token_id,)).fetchone()
    return None if row is None else _grant(token_id, *row)


def any_defined(db: sqlite3.Connection) -> bool:
    """Whether there is a token at all."""
    return db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone() is not None


def _grant(token_id: str, robot: str, scope: str, rate: int | None) -> Grant:
    return Grant(token_id, robot, Scope(scope), rate)


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
        return await self._store.glance(lambda db: find(db, token))

    async def find_by_id(self, token_id: str) -> Grant | None:
        return await self._store.glance(lambda db: find_by_id(db, token_id))

    async def any_defined(self) -> bool:
        return await self._store.glance(any_defined)

    async def create(
        self, robot: str, label: str, scope: Scope | None = None, rate: int | None = None
    ) -> str:
        """A new token; arguments and errors as those of the function."""
        scope = checked(robot, scope, rate)
        return await self._store.write(
            lambda db: _insert(db, robot, label, wall_clock(), scope, rate)
        )

    async def listed(self) -> tuple[TokenInfo, ...]:
        return await self._store.read(listed)

    async def revoke(self, token_id: str) -> bool:
        return await self._store.write(lambda db: _delete(db, token_id, wall_clock()))
