"""``memory.db``: one thread writes, another reads, and neither waits for the other.

What a coroutine has returned from survives ``kill -9``; what it has not is as if it had never
been begun. A file that cannot be opened now is opened again when it is next needed.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from agents.memory.schema import BUSY_MS, FILE, coded, connect, transaction

T = TypeVar("T")

Change = Callable[[sqlite3.Connection], T]


def wall_clock() -> float:
    """Seconds since 1970; for ages that must outlive the machine."""
    return datetime.now(UTC).timestamp()


class Store:
    """The file in ``directory``. Every coroutine raises ``StoreFailed`` where the disk, or another
    program that holds the file for ``busy_ms``, does not let it do its part."""

    def __init__(self, directory: Path, busy_ms: int = BUSY_MS) -> None:
        self._directory = directory
        self._busy_ms = busy_ms
        self._writing = ThreadPoolExecutor(1, "memory-writes")
        self._reading = ThreadPoolExecutor(1, "memory-reads")
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Make the file ready.

        Raises:
            StoreFailed: it cannot be used, now or ever; the kind of error says why.
        """
        await self._call(self._writing, self._opened)

    async def close(self) -> None:
        """Write everything back and let go."""
        await self._call(self._reading, self._close_reader)
        await self._call(self._writing, self._close_writer)
        self._reading.shutdown()
        self._writing.shutdown()

    async def write(self, change: Change[T]) -> T:
        """Run ``change`` as one transaction and return what it returns."""

        def run() -> T:
            db = self._opened()
            with transaction(db):
                return change(db)

        return await self._call(self._writing, run)

    async def read(self, query: Change[T]) -> T:
        """Run ``query``, which sees one state of the file and changes nothing."""
        if self._writer is None:
            await self.open()

        def run() -> T:
            if self._reader is None:
                self._reader = connect(self._directory, self._busy_ms, writes=False)
            with transaction(self._reader, "DEFERRED"):
                return query(self._reader)

        return await self._call(self._reading, run)

    async def wipe(self) -> None:
        """Overwrite what deleted entries have left in the log of the file, as far as no reader is in
        the way."""
        await self._call(
            self._writing, lambda: self._opened().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        )

    def _opened(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = connect(self._directory, self._busy_ms)
        return self._writer

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _call(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except sqlite3.Error as error:
            raise coded(error, self._directory / FILE) from error
