"""Many light robots on one loop: one ticker for all microphones, one connection for each robot."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from robot_sim.load.connection import Connection, Ended, open_connection
from robot_sim.load.robot import AHEAD_SLACK_MS, LightRobot
from robot_sim.load.tally import Tally
from robot_sim.load.user import CHUNK_MS, Habits, User
from robot_sim.reconnect import GiveUp, after_close

_CHUNK_NS = CHUNK_MS * 1_000_000
_SHORTEST_TICK_S = 0.001
"""uvloop's timers have a resolution of a millisecond; finer ones would spin."""
_STALLED_NS = 1_000_000_000
"""Microphones that are further behind skip what they missed."""
_CONNECT_EVERY_S = 0.01
_POLL_S = 0.05


@dataclass(frozen=True, kw_only=True)
class FleetOptions:
    """A fleet on the hub at ``url``: robots ``NAME-0`` to ``NAME-(robots-1)``."""

    url: str
    robots: int
    token: str | None = None
    seed: int = 1
    name: str = "load"
    habits: Habits = field(default_factory=Habits)
    ahead_slack_ms: float = AHEAD_SLACK_MS


class Fleet:
    """See the module; made by ``running_fleet``. ``late_ns`` is the longest that a chunk left after
    its time: how far to trust what was timed."""

    def __init__(self, options: FleetOptions) -> None:
        self.options = options
        self.tally = Tally()
        self.late_ns = 0
        now_ns = time.monotonic_ns()
        self.robots = [
            self._robot(f"{options.name}-{number}", now_ns) for number in range(options.robots)
        ]
        self.gone: dict[str, str] = {}
        self._connections: dict[str, Connection] = {}
        self._away_until_s: dict[str, float] = {}
        self._began_ns, self._sent = now_ns, 0
        self._timer: asyncio.TimerHandle | None = None

    def _robot(self, name: str, now_ns: int) -> LightRobot:
        user = User(name, self.options.habits, f"{self.options.seed}/{name}", now_ns)
        return LightRobot(name, user, self.tally, self.options.ahead_slack_ms)

    def begin(self) -> None:
        """Count from here on: what was seen so far was for warming up."""
        self.tally.clear()
        self.late_ns = 0

    @property
    def linked(self) -> int:
        """How many robots the hub has welcomed."""
        return sum(robot.linked for robot in self.robots)

    async def until_linked(self, timeout_s: float) -> bool:
        """Whether all robots were welcomed in time."""
        return await _until(lambda: self.linked == len(self.robots), timeout_s)

    async def answered_since(self, since_ns: int, timeout_s: float) -> list[str]:
        """Wait until every robot has begun an answer after ``since_ns``; those that have not."""
        await _until(lambda: not self._silent_since(since_ns), timeout_s)
        return self._silent_since(since_ns)

    def _silent_since(self, since_ns: int) -> list[str]:
        return [robot.name for robot in self.robots if robot.answered_ns <= since_ns]

    async def last_words(self, timeout_s: float) -> list[str]:
        """Every user asks a last thing; return the robots that did not answer it."""
        since_ns = time.monotonic_ns()
        for robot in self.robots:
            robot.user.leave(since_ns)
            await asyncio.sleep(_CONNECT_EVERY_S)
        await _until(lambda: all(robot.user.gone for robot in self.robots), timeout_s)
        return [
            robot.name
            for robot in self.robots
            if not robot.user.gone or robot.answered_ns <= since_ns
        ]

    def cut(self, name: str, away_s: float = 0.0) -> None:
        """Break the socket of a robot; it may not come back for ``away_s``."""
        self._away_until_s[name] = asyncio.get_running_loop().time() + away_s
        if connection := self._connections.get(name):
            connection.abort()

    # how it lives

    def start_ticking(self) -> None:
        self._began_ns, self._sent = time.monotonic_ns(), 0
        self._tick()

    def stop_ticking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        """Let every robot live whose 20 ms are over; they are spread evenly over each 20 ms."""
        robots = self.robots
        while True:
            due_ns = self._began_ns + self._sent * _CHUNK_NS // len(robots)
            now_ns = time.monotonic_ns()
            if due_ns > now_ns:
                break
            if now_ns - due_ns > _STALLED_NS:
                self.tally.counts["stalls"] += 1
                self._began_ns, self._sent = now_ns, 0
            self.late_ns = max(self.late_ns, now_ns - due_ns)
            robots[self._sent % len(robots)].tick(now_ns)
            self._sent += 1
        wait_s = max(_SHORTEST_TICK_S, (due_ns - now_ns) / 1e9)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)

    async def keep_linked(self, robot: LightRobot, number: int) -> None:
        """Connect a robot, again and again; return when the hub will not have it back."""
        await asyncio.sleep(number * _CONNECT_EVERY_S)
        url, attempt = self.options.url, 0
        random_ = random.Random(f"{self.options.seed}/{robot.name}/reconnect")
        while True:
            ended = await self._connection(url, robot)
            self.tally.closes[ended.code] += 1
            if robot.welcomed_ns:
                robot.welcomed_ns, attempt = 0, 0
            decision = after_close(ended.code, ended.reason, url, attempt, random_)
            if isinstance(decision, GiveUp):
                self.gone[robot.name] = f"{decision.reason} (close code {ended.code})"
                return
            attempt, url = attempt + 1, decision.url
            away_s = self._away_until_s.pop(robot.name, 0.0) - asyncio.get_running_loop().time()
            await asyncio.sleep(max(decision.after_s if away_s <= 0 else away_s, 0.0))

    async def _connection(self, url: str, robot: LightRobot) -> Ended:
        opened = await open_connection(url, robot, self.options.token, self.tally)
        if isinstance(opened, Ended):
            return opened
        self._connections[robot.name] = opened
        try:
            return await opened.ended
        finally:
            self._connections.pop(robot.name).close()


async def _until(holds: Callable[[], bool], timeout_s: float) -> bool:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    while not holds():
        if loop.time() >= end_s:
            return False
        await asyncio.sleep(_POLL_S)
    return True


@asynccontextmanager
async def running_fleet(options: FleetOptions) -> AsyncIterator[Fleet]:
    """A fleet that converses while the block runs."""
    fleet = Fleet(options)
    async with asyncio.TaskGroup() as tasks:
        links = [
            tasks.create_task(fleet.keep_linked(robot, number))
            for number, robot in enumerate(fleet.robots)
        ]
        fleet.start_ticking()
        try:
            yield fleet
        finally:
            fleet.stop_ticking()
            for link in links:
                link.cancel()
