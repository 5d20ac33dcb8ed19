"""The book as a small JSON file, replaced as a whole, so that a crash leaves the old or the new one.

{"version": 1, "robots": {"r1": {"day": 739950, "spent_s": 812.5}}}
"""

import asyncio
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import structlog

from agents.runtime.errors import BackendUnavailable

FILE = "feelings.json"
VERSION = 1
WRITE_AFTER_S = 5.0
"""What was noted is on the disk so much later at the latest: what a kill may forget."""
MAX_BYTES = 4 << 20
MAX_ROBOTS = 10_000

log = structlog.get_logger(__name__)


class _Spent(msgspec.Struct, frozen=True):
    day: int
    spent_s: float


class _Book(msgspec.Struct, frozen=True):
    version: int
    robots: dict[str, _Spent]


class FileBook:
    """Reads ``directory/feelings.json`` once, and writes it from a thread of its own."""

    name = "file"

    def __init__(self, directory: Path) -> None:
        self.counters: Counter[str] = Counter()
        self._path = directory / FILE
        self._robots: dict[str, _Spent] = {}
        self._day = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="day-book")
        self._timer: asyncio.TimerHandle | None = None
        self._written: dict[str, _Spent] = {}

    async def start(self) -> None:
        """Read what an earlier process has noted.

        Raises:
            BackendUnavailable: the directory cannot be used at all.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._robots = self._read()
        except OSError as error:
            raise BackendUnavailable(
                f"what was talked today cannot be kept in {self._path}: {error}"
            ) from error
        self._written = dict(self._robots)

    async def close(self) -> None:
        """Write what is not written."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._robots != self._written:
            await self._write(dict(self._robots))
        self._thread.shutdown(wait=False)

    def spent_s(self, robot: str, day: int) -> float:
        """See ``DayBook``."""
        noted = self._robots.get(robot)
        return noted.spent_s if noted is not None and noted.day == day else 0.0

    def note(self, robot: str, day: int, spent_s: float) -> None:
        """See ``DayBook``."""
        new = _Spent(day, round(spent_s, 1))
        if self._robots.get(robot, _Spent(day, 0.0)) == new:
            return
        if day != self._day:
            self._day = day
            self._robots = {name: n for name, n in self._robots.items() if n.day == day}
        if robot not in self._robots and len(self._robots) >= MAX_ROBOTS:
            self.counters["book.no_room"] += 1
            return
        self._robots[robot] = new
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(WRITE_AFTER_S, self._begin_write)

    # inside

    def _begin_write(self) -> None:
        self._timer = None
        snapshot = dict(self._robots)
        loop = asyncio.get_running_loop()
        loop.run_in_executor(self._thread, self._save, snapshot).add_done_callback(
            lambda done: self._noted(done, snapshot)
        )

    async def _write(self, snapshot: dict[str, _Spent]) -> None:
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._thread, self._save, snapshot)
        await asyncio.wait([done])
        self._noted(done, snapshot)

    def _noted(self, done: "asyncio.Future[None]", snapshot: dict[str, _Spent]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._written = snapshot
        elif isinstance(error, OSError):
            self.counters["book.not_written"] += 1
            log.error("day_not_written", path=str(self._path), error=str(error))
        else:
            raise error

    def _save(self, robots: dict[str, _Spent]) -> None:
        """On the thread. Raises ``OSError``."""
        data = msgspec.json.encode(_Book(VERSION, robots))
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    def _read(self) -> dict[str, _Spent]:
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return {}
        try:
            book = msgspec.json.decode(data, type=_Book)
        except msgspec.DecodeError as error:
            return self._set_aside(str(error))
        if book.version != VERSION:
            return self._set_aside(f"version {book.version} is not {VERSION}")
        return {name: spent for name, spent in book.robots.items() if spent.spent_s > 0}

    def _set_aside(self, why: str) -> dict[str, _Spent]:
        """A file that cannot be read is kept for people, and the day begins anew."""
        aside = self._path.with_suffix(".damaged")
        self._path.replace(aside)
        self.counters["book.unreadable"] += 1
        log.error("day_unreadable", path=str(self._path), kept_as=str(aside), error=why)
        return {}
