"""One run of the hub's process: sessions, registry and edge, with a watch at its doors.

``kill`` is a ``kill -9``: nothing of it acts any more, and only what its store had committed is
left.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

from starlette.websockets import WebSocket

from hub.broker.inproc import InprocBroker
from hub.edge.auth import Gate
from hub.edge.robot_ws import robot_endpoint
from hub.edge.services import EdgeServices, HubReport
from hub.errors import NotReady, UnknownRobot
from hub.registry import Registry
from hub.session.link import RobotLink, RobotSession
from hub.session.manager import SessionManager
from hub.store.base import Store
from hub.trace.monitor import Monitor
from hub.trace.tap import Tap
from protocols.messages.robot import (
    Cancel,
    Flush,
    FromRobot,
    Hello,
    Ping,
    Pong,
    SpeechFrame,
    ToRobot,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from tests.fakes.jobs import FakeJobs
from tests.simulation.bus import Dead, HubEnd
from tests.simulation.checks import Watch
from tests.simulation.facts import Facts
from tests.simulation.wire import Socket
from tests.virtual_time import clock_ns


class WatchedLink:
    """A ``RobotLink`` whose every message is seen before it is sent."""

    def __init__(self, robot: str, inner: RobotLink, watch: Watch) -> None:
        self.inner = inner
        self.robot = robot
        self.epoch = self.fenced = self.told = self.came = 0
        self.live_turn = 0
        self.closed = False
        self._watch = watch

    @property
    def profile(self) -> Any:
        return self.inner.profile

    def send(self, message: ToRobot) -> None:
        match message:
            case Welcome(epoch=epoch):
                self.epoch = epoch
            case TurnBegin(turn=turn):
                self.live_turn = turn
            case TurnEnd():
                self.live_turn = 0
        self._watch.told(self.robot, self.epoch, self.fenced, message)
        if isinstance(message, Flush):
            self.fenced = max(self.fenced, message.turn)
        self.told += not isinstance(message, Ping)
        self.inner.send(message)

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        self._watch.sent_speech(self.robot, self.epoch, self.fenced, header)
        self.inner.send_speech(header, pcm)

    def close(self, code: int, reason: str) -> None:
        self.closed = True
        self.inner.close(code, reason)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class WatchedSession:
    """A ``RobotSession`` whose every message is seen before it acts."""

    def __init__(self, inner: RobotSession, link: WatchedLink, watch: Watch) -> None:
        self._inner, self._link, self._watch = inner, link, watch

    def on_message(self, message: FromRobot) -> None:
        live = self._link.live_turn
        self._link.came += not isinstance(message, Pong)
        self._inner.on_message(message)
        if isinstance(message, Cancel) and live > self._link.fenced and not self._link.closed:
            late = f"cancel came and turn {live} was not fenced at once"
            self._watch.story.violated("I10", self._link.robot, late)

    def detach(self, code: int, reason: str) -> None:
        self._link.closed = True
        self._inner.detach(code, reason)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _NoTokens:
    async def find(self, token: str) -> None:
        return None

    async def any_defined(self) -> bool:
        return False


class _Tasks:
    """The hub's task group; a process that is gone starts nothing."""

    def __init__(self, group: asyncio.TaskGroup, bus: HubEnd) -> None:
        self._group, self._bus = group, bus

    def create_task(self, work: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        if self._bus.dead:
            work.close()
            raise Dead
        return self._group.create_task(work, **options)


class HubRun:
    """A hub process. Make it on the loop, then ``run`` it as a task."""

    def __init__(
        self, broker: InprocBroker, store: Store, facts: Facts, watch: Watch,
        attached: Callable[[RobotLink], None],
    ) -> None:  # fmt: skip
        self.bus = HubEnd(broker, store.boot, facts)
        self.ready = asyncio.Event()
        self.links: dict[str, WatchedLink] = {}
        self._store, self._watch, self._attached = store, watch, attached
        self.monitor = Monitor(told=watch.story.found)
        self._sockets: list[Socket] = []
        self._tasks: asyncio.TaskGroup | None = None
        self._task: asyncio.Task[Any] | None = None

    def clock(self) -> int:
        """The hub's monotonic clock; a process that is gone reads none."""
        if self.bus.dead:
            raise Dead
        return clock_ns()

    async def run(self) -> None:
        """Live until killed."""
        self._task = asyncio.current_task()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            registry = Registry(self.bus)
            mortal = cast(Any, _Tasks(tasks, self.bus))
            tap = Tap(self.clock, words=True)
            tap.add(self.monitor.take)
            tap.started(self.bus.boot)
            self.sessions = SessionManager(
                self.bus, registry, self._store, mortal, self.clock, tap=tap
            )
            self._services = EdgeServices(
                sessions=cast(Any, self),
                jobs=cast(Any, FakeJobs()),
                gate=Gate(cast(Any, _NoTokens()), loopback=True),
                health=HubReport,
                clock_ns=self.clock,
                counters=self.sessions.counters,
                threads=cast(Any, None),
            )
            await self.bus.open()
            await self.sessions.recover()
            self.ready.set()
            await asyncio.Event().wait()

    def serve(self, socket: Socket) -> None:
        """A robot has connected."""
        assert self._tasks is not None
        self._sockets = [s for s in self._sockets if s.alive]
        self._sockets.append(socket)
        self._tasks.create_task(self._serve(socket))

    async def _serve(self, socket: Socket) -> None:
        websocket = WebSocket(socket.scope, cast(Any, socket.receive), socket.send)
        try:
            await robot_endpoint(websocket, self._services)
        except Exception as error:
            if self.bus.dead:
                return
            self._watch.story.violated("crash", socket.robot, f"the edge: {error!r}")
        finally:
            socket.abort()

    async def attach(
        self, robot: str, hello: Hello, link: RobotLink, *, fresh: bool = False
    ) -> WatchedSession:
        """``Sessions.attach``, watched."""
        watched = WatchedLink(robot, link, self._watch)
        self._attached(link)
        inner = await self.sessions.attach(robot, hello, watched, fresh=fresh)
        self.links[robot] = watched
        return WatchedSession(inner, watched, self._watch)

    def say(self, robot: str, text: str, priority: str, interruptible: bool) -> None:
        """Somebody makes an announcement."""
        if self._tasks is not None:
            self._tasks.create_task(self._say(robot, text, priority, interruptible))

    async def _say(self, robot: str, text: str, priority: str, interruptible: bool) -> None:
        try:
            outcome = await self.sessions.say(
                robot, text, priority=priority, interruptible=interruptible
            )
        except (UnknownRobot, NotReady) as error:
            outcome = error.code
        self._watch.story.note(robot, f"announcement: {outcome}")

    def dismiss(self) -> None:
        """Take no more connections and send every robot away."""
        self.sessions.drain()
        self.sessions.dismiss()

    async def kill(self) -> None:
        """End at once. Robots notice that their connections broke."""
        for socket in self._sockets:
            socket.down.break_off()
            socket.up.break_off()
        self.bus.dead = True
        await self.bus.close()
        if self._task is not None:
            self._task.cancel()
        for socket in self._sockets:
            socket.lose_robot()

    def live_links(self) -> Iterator[WatchedLink]:
        """The connections that stand."""
        return (link for link in self.links.values() if not link.closed)
