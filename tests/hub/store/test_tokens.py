"""Tokens: made once, stored as hashes, bound to one robot or to none."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import tokens
from hub.store.schema import FILE
from hub.store.sqlite import SqliteStore
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
    assert not grant.is_client


def test_a_client_token_covers_every_robot(db: sqlite3.Connection) -> None:
    grant = tokens.find(db, tokens.create(db))
    assert grant is not None
    assert grant.covers("r1")
    assert grant.is_client


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
