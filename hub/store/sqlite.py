"""The store on disk: ``hub.db``, written by one thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import msgspec

from hub.errors import StoreFailed
from hub.open_turn import OpenTurn
from hub.store.base import HISTORY_LIMIT, HISTORY_MAX_AGE_S, AuditEntry, Leftover, Record
from hub.store.schema import FILE, connect, connect_to_read, transaction
from protocols.messages.turn import Exchange

T = TypeVar("T")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(OpenTurn).decode


def wall_time() -> datetime:
    """What calendars and clocks on the wall show; for what people set by them."""
    return datetime.now(UTC)


def wall_clock() -> float:
    """Seconds since 1970; for ages that must outlive the machine, never for a decision in a turn."""
    return wall_time().timestamp()


class SqliteStore:
    """A ``Store`` in ``data_dir``. Its coroutines return when their transaction is on the disk."""

    def __init__(self, data_dir: Path, clock: Callable[[], float] = wall_clock) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "hub-store")
        self._db: sqlite3.Connection | None = None
        self._glancing: sqlite3.Connection | None = None
        self._hub_id = ""
        self._boot = 0

    @property
    def hub_id(self) -> str:
        return self._hub_id

    @property
    def boot(self) -> int:
        return self._boot

    async def open(self) -> None:
        self._db = await self._call(lambda: connect(self._data_dir))
        self._hub_id, self._boot = await self.write(_count_boot)
        self._glancing = await self._call(lambda: connect_to_read(self._data_dir))

    async def close(self) -> None:
        if self._glancing is not None:
            self._glancing.close()
            self._glancing = None
        if self._db is not None:
            await self._call(self._db.close)
            self._db = None
        self._thread.shutdown()

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``change`` as one transaction on the writer thread and return what it returns."""
        assert self._db is not None, "the store is not open"
        db = self._db

        def run() -> T:
            with transaction(db):
                return change(db)

        return await self._call(run)

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``query``, which changes nothing, on the same thread."""
        assert self._db is not None, "the store is not open"
        db = self._db
        return await self._call(lambda: query(db))

    async def glance(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``query`` for a row or two here and now: that takes some microseconds, the way to the
        thread and back many times as long. What it reads is committed, by whatever process."""
        assert self._glancing is not None, "the store is not open"
        try:
            return query(self._glancing)
        except sqlite3.Error:
            # Somebody has the whole file: the thread may wait, and says what is wrong otherwise.
            return await self.read(query)

    async def _call(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise StoreFailed(f"{self._data_dir / FILE}: {error}") from error

    async def next_epoch(self, robot: str) -> int:
        def change(db: sqlite3.Connection) -> int:
            row = db.execute(
                "INSERT INTO robots (robot, epoch) VALUES (?, 1)"
                " ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
                (robot,),
            )
            return int(row.fetchone()[0])

        return await self.write(change)

    async def reserve_turns(self, robot: str, count: int) -> range:
        def change(db: sqlite3.Connection) -> int:
            row = db.execute(
                "INSERT INTO robots (robot, turn) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET turn = turn + excluded.turn RETURNING turn",
                (robot, count),
            )
            return int(row.fetchone()[0])

        last = await self.write(change)
        return range(last - count + 1, last + 1)

    async def append_turn(self, robot: str, record: Record) -> None:
        now, turn = self._clock(), record.exchange

        def change(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    robot, turn.turn, record.session, now, turn.user, turn.robot,
                    turn.emotion, turn.interrupted, record.outcome,
                ),
            )  # fmt: skip
            db.execute("DELETE FROM open_turns WHERE robot = ? AND turn = ?", (robot, turn.turn))
            _see(db, [robot], now)

        await self.write(change)

    async def keep_open(self, turns: Mapping[str, OpenTurn | None]) -> None:
        now = self._clock()
        over = [(robot,) for robot, turn in turns.items() if turn is None]
        open_ = [
            (robot, turn.turn, now, _encode(turn))
            for robot, turn in turns.items()
            if turn is not None
        ]

        def change(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM open_turns WHERE robot = ?", over)
            db.executemany("INSERT OR REPLACE INTO open_turns VALUES (?, ?, ?, ?)", open_)

        await self.write(change)

    async def open_turns(self) -> tuple[Leftover, ...]:
        now = self._clock()
        rows = await self.read(
            lambda db: db.execute("SELECT robot, at_s, record FROM open_turns").fetchall()
        )
        return tuple(Leftover(robot, _decode(record), now - at_s) for robot, at_s, record in rows)

    async def load_history(
        self, robot: str, limit: int = HISTORY_LIMIT, max_age_s: float = HISTORY_MAX_AGE_S
    ) -> tuple[Exchange, ...]:
        oldest_s = self._clock() - max_age_s

        def change(db: sqlite3.Connection) -> tuple[Exchange, ...]:
            db.execute(
                "DELETE FROM turns WHERE robot = ?1 AND robot IN"
                " (SELECT robot FROM robots WHERE robot = ?1 AND seen_s < ?2)",
                (robot, oldest_s),
            )
            rows = db.execute(
                "SELECT turn, user, heard, emotion, interrupted FROM turns"
                " WHERE robot = ? ORDER BY turn DESC LIMIT ?",
                (robot, limit),
            ).fetchall()
            return tuple(
                Exchange(turn=turn, user=user, robot=heard, emotion=emotion, interrupted=bool(cut))
                for turn, user, heard, emotion, cut in reversed(rows)
            )

        return await self.write(change)

    async def seen(self, robots: Collection[str]) -> None:
        now = self._clock()
        await self.write(lambda db: _see(db, robots, now))

    async def forget(self, robot: str) -> int:
        return await self.write(
            lambda db: db.execute("DELETE FROM turns WHERE robot = ?", (robot,)).rowcount
        )

    async def expire(
        self, max_age_s: float = HISTORY_MAX_AGE_S, connected: Collection[str] = ()
    ) -> frozenset[str]:
        now = self._clock()

        def change(db: sqlite3.Connection) -> frozenset[str]:
            _see(db, connected, now)
            db.execute(
                "DELETE FROM turns WHERE robot IN (SELECT robot FROM robots WHERE seen_s < ?)",
                (now - max_age_s,),
            )
            kept = db.execute("SELECT DISTINCT robot FROM turns").fetchall()
            return frozenset(robot for (robot,) in kept)

        return await self.write(change)

    async def audit(self, event: str, detail: str = "") -> None:
        now = self._clock()
        await self.write(lambda db: add_audit(db, now, event, detail))

    async def read_audit(self, limit: int = 100) -> tuple[AuditEntry, ...]:
        rows = await self.read(
            lambda db: db.execute(
                "SELECT at_s, event, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,)
            ).fetchall()
        )
        return tuple(AuditEntry(*row) for row in reversed(rows))


def add_audit(db: sqlite3.Connection, now_s: float, event: str, detail: str) -> None:
    """Write a line into the audit, inside the caller's transaction."""
    db.execute("INSERT INTO audit (at_s, event, detail) VALUES (?, ?, ?)", (now_s, event, detail))


def _see(db: sqlite3.Connection, robots: Collection[str], now_s: float) -> None:
    db.executemany(
        "INSERT INTO robots (robot, seen_s) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET seen_s = excluded.seen_s",
        [(robot, now_s) for robot in robots],
    )


def _count_boot(db: sqlite3.Connection) -> tuple[str, int]:
    db.execute("INSERT OR IGNORE INTO hub VALUES ('hub_id', ?)", (f"hub-{uuid4().hex[:12]}",))
    db.execute(
        "INSERT INTO hub VALUES ('boot', '1')"
        " ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )
    values = dict(db.execute("SELECT key, value FROM hub"))
    return str(values["hub_id"]), int(values["boot"])
