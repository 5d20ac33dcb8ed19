"""Tokens: made once, stored as hashes, bound to one robot or to none."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.store import tokens
from hub.store.schema import FILE, MIGRATIONS
from hub.store.sqlite import SqliteStore
from hub.store.tokens import Grant, Scope
from protocols.errors import BadIdentity


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = tokens.open_tokens(tmp_path)
    yield connection
    connection.close()


def test_a_robots_token_covers_that_robot_alone(db: sqlite3.Connection) -> None:
    grant = tokens.find(db, tokens.create(db, "r1"))
    assert grant is not None
    assert grant.covers("r1")
    assert not grant.covers("r2")
    assert grant.scope is Scope.ROBOT


def test_a_client_token_covers_every_robot(db: sqlite3.Connection) -> None:
    grant = tokens.find(db, tokens.create(db))
    assert grant is not None
    assert grant.covers("r1")
    assert grant.scope is Scope.CLIENT


@pytest.mark.parametrize(
    ("scope", "covers"), [(Scope.ADMIN, True), (Scope.CLIENT, True), (Scope.OBSERVER, False)]
)
def test_a_token_holds_its_scope_and_its_rate(
    db: sqlite3.Connection, scope: Scope, covers: bool
) -> None:
    grant = tokens.find(db, tokens.create(db, scope=scope, rate=90))
    assert grant is not None
    assert (grant.scope, grant.rate, grant.covers("r1")) == (scope, 90, covers)
    assert tokens.find_by_id(db, grant.id) == grant
    (info,) = tokens.listed(db)
    assert (info.scope, info.rate) == (scope, 90)
    assert tokens.revoke(db, grant.id)
    assert tokens.find_by_id(db, grant.id) is None


@pytest.mark.parametrize(
    "wish",
    [
        {"scope": Scope.ROBOT},
        {"scope": Scope.ADMIN, "robot": "r1"},
        {"scope": Scope.OBSERVER, "robot": "r1"},
        {"rate": 0},
    ],
)
def test_a_token_that_contradicts_itself_is_not_made(
    db: sqlite3.Connection, wish: dict[str, Any]
) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.create(db, **wish)
    assert not tokens.any_defined(db)


def test_tokens_of_an_older_hub_keep_working_with_the_scope_they_had(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    for script in MIGRATIONS[:2]:
        old.executescript(script)
    old.execute("PRAGMA user_version = 2")
    made = {"r1": "rh_00000001_" + "a" * 43, "*": "rh_00000002_" + "b" * 43}
    for robot, token in made.items():
        digest = hashlib.sha256(token.encode()).digest()
        old.execute("INSERT INTO tokens VALUES (?, ?, ?, '', 1.0)", (token[3:11], digest, robot))
    old.close()

    db = tokens.open_tokens(tmp_path)
    grants = [tokens.find(db, token) for token in made.values()]
    tokens.create(db, scope=Scope.ADMIN)
    db.close()

    assert grants == [
        Grant("00000001", "r1", Scope.ROBOT),
        Grant("00000002", "*", Scope.CLIENT),
    ]


@pytest.mark.parametrize(
    "mangle",
    [
        lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"),
        lambda t: t.replace("rh_", "RH_"),
        lambda t: t + "x",
        lambda t: "rh_00000000_" + t[12:],
        lambda t: "",
        lambda t: "é" * 55,
    ],
)
def test_anything_but_the_exact_token_is_nobody(db: sqlite3.Connection, mangle) -> None:  # type: ignore[no-untyped-def]
    assert tokens.find(db, mangle(tokens.create(db, "r1"))) is None


def test_a_revoked_token_is_nobody(db: sqlite3.Connection) -> None:
    token = tokens.create(db, "r1", label="kitchen")
    (info,) = tokens.listed(db)
    assert (info.robot, info.label) == ("r1", "kitchen")
    assert tokens.revoke(db, info.id)
    assert not tokens.revoke(db, info.id)
    assert tokens.find(db, token) is None
    assert not tokens.any_defined(db)


def test_the_secret_is_nowhere_on_the_disk(db: sqlite3.Connection, tmp_path: Path) -> None:
    secret = tokens.create(db, "r1").split("_", 2)[2].encode()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE}*"))
    assert len(stored) > 4096
    assert secret not in stored


def test_a_token_for_an_illegal_robot_is_refused(db: sqlite3.Connection) -> None:
    with pytest.raises(BadIdentity):
        tokens.create(db, "a/b")


async def test_a_running_hub_sees_tokens_made_and_revoked_beside_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    stored = tokens.StoredTokens(store)
    assert not await stored.any_defined()
    beside = tokens.open_tokens(tmp_path)
    token = tokens.create(beside, "r1")
    assert await stored.any_defined()
    grant = await stored.find(token)
    assert grant is not None
    assert tokens.revoke(beside, grant.id)
    assert await stored.find(token) is None
    beside.close()
    await store.close()


async def test_tokens_are_looked_up_though_another_process_has_the_whole_file(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    stored = tokens.StoredTokens(store)
    token = await stored.create("r1", "")
    beside = tokens.open_tokens(tmp_path)
    beside.execute("BEGIN IMMEDIATE")
    grant = await stored.find(token)
    assert grant is not None
    assert grant.robot == "r1"
    beside.execute("ROLLBACK")
    beside.close()
    await store.close()
