"""What only a disk can show: what survives, what refuses, who may look."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hub.errors import DataDirLocked, DataDirUnusable, StoreFailed, StoreTooNew
from hub.store.datadir import DataDir
from hub.store.schema import FILE, connect
from hub.store.sqlite import SqliteStore

TALKER = """
import asyncio, sys
from pathlib import Path
from hub.store.base import Record
from hub.store.sqlite import SqliteStore
from protocols.messages.turn import Exchange

async def talk():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    turn = 0
    while True:
        await store.next_epoch("a")
        turn = (await store.reserve_turns("a", 1))[0]
        await store.append_turn("a", Record("s", Exchange(turn=turn, user="u", robot="r")))
        print(turn, flush=True)

asyncio.run(talk())
"""


async def test_i9_committed_turns_and_numbers_survive_kill_nine(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TALKER, str(tmp_path), stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    for _ in range(25):
        acknowledged = int(await child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    await child.wait()
    acknowledged = max([acknowledged, *map(int, (await child.stdout.read()).split(b"\n")[:-1])])

    store = SqliteStore(tmp_path)
    await store.open()
    history = await store.load_history("a", limit=1000)
    assert [e.turn for e in history][:acknowledged] == list(range(1, acknowledged + 1))
    assert await store.next_epoch("a") > acknowledged
    assert (await store.reserve_turns("a", 1))[0] > acknowledged
    assert store.boot == 2
    await store.close()


async def test_a_file_of_a_newer_hub_is_refused_untouched(tmp_path: Path) -> None:
    connect(tmp_path).close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA user_version = 99")
    db.close()
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreTooNew, match="version 99"):
        await store.open()
    await store.close()


async def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not sqlite" * 100)
    store = SqliteStore(tmp_path)
    with pytest.raises(DataDirUnusable, match="cannot be used"):
        await store.open()
    await store.close()


async def test_a_disk_that_fails_is_a_coded_error_and_spares_what_was_committed(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    await store.next_epoch("a")
    blocker = connect(tmp_path)
    blocker.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON robots BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(StoreFailed, match="no"):
        await store.next_epoch("a")
    blocker.execute("DROP TRIGGER full")
    blocker.close()
    assert await store.next_epoch("a") == 2
    await store.close()


def test_every_commit_is_forced_to_the_disk(tmp_path: Path) -> None:
    db = connect(tmp_path)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_the_file_with_what_people_said_is_private(tmp_path: Path) -> None:
    connect(tmp_path).close()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_second_hub_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    with DataDir(tmp_path), pytest.raises(DataDirLocked, match=f"process {os.getpid()}"):
        DataDir(tmp_path).__enter__()
    with DataDir(tmp_path):
        pass


def test_a_data_directory_is_made_private(tmp_path: Path) -> None:
    with DataDir(tmp_path / "new" / "data"):
        assert (tmp_path / "new" / "data").stat().st_mode & 0o077 == 0


def test_a_data_directory_that_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirUnusable, match="cannot be written: Not a directory"):
        DataDir(tmp_path / "file" / "data").__enter__()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_data_directory_is_refused_in_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataDirUnusable, match="Permission denied"):
        DataDir(tmp_path).__enter__()
