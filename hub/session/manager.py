"""The shell around the session engines: connections in, facts in, time in; decisions out."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog

from hub.counters import Counters
from hub.errors import NotReady, UnknownRobot
from hub.registry import AgentInfo, Registry
from hub.session import events as on
from hub.session.engine import HEARS
from hub.session.link import REPLACED, RobotLink
from hub.session.seat import Seat, SeatServices
from hub.session.state import Policy, State
from hub.session.ticker import Ticker
from hub.store.base import Record, Store
from protocols.bus import HubBus
from protocols.envelope import AnyEnvelope
from protocols.errors import HubError
from protocols.identity import checked_robot_id
from protocols.messages.audio import SpeechChunk
from protocols.messages.robot import FromRobot, Hello, Welcome
from protocols.messages.turn import Exchange, Priority

_TURN_BLOCK = 256
_TURN_RESERVE = 64
"""Turn numbers are persisted in blocks before they are used; a new block is fetched while this
many are left."""

log = structlog.get_logger()


class Attached:
    """A connection's handle on its seat. Once the seat has a newer owner it does nothing."""

    def __init__(self, seat: Seat, epoch: int, detached: Callable[[str], None]) -> None:
        self.robot = seat.robot
        self.epoch = epoch
        self._seat = seat
        self._detached = detached

    def on_mic(self, first_sample: int, pcm: bytes, playout_sample: int = -1) -> None:
        """Microphone audio: mono s16le 16 kHz; samples counted from 0 on this connection."""
        if self._seat.state.epoch == self.epoch:
            self._seat.on_mic(first_sample, pcm, playout_sample)

    def on_message(self, message: FromRobot) -> None:
        """Any control message but ``hello``."""
        if self._seat.state.epoch == self.epoch:
            self._seat.on_message(message)

    def detach(self, code: int, reason: str) -> None:
        """The connection is gone; idempotent."""
        if self._seat.detach(self.epoch, code, reason):
            self._detached(self.robot)


class RobotStatus(NamedTuple):
    """A robot as people see it."""

    robot: str
    connected: bool
    client: str
    session: str
    epoch: int
    turn: int
    face: str


class SessionManager:
    """Seats for all robots. Lives on the hub's loop; ``tasks`` owns what it starts."""

    def __init__(
        self,
        bus: HubBus,
        registry: Registry,
        store: Store,
        tasks: asyncio.TaskGroup,
        clock: Callable[[], int],
        policy: Policy | None = None,
        counters: Counters | None = None,
    ) -> None:
        self.counters = counters or Counters()
        self._bus = bus
        self._registry = registry
        self._store = store
        self._tasks = tasks
        self._policy = policy or Policy()
        self._seats: dict[str, Seat] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._reserved: dict[str, int] = {}
        self._reserving: set[str] = set()
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._last_request = 0
        self._draining = False
        self._turn_over = asyncio.Event()
        self._ticker = Ticker(clock)
        self._services = SeatServices(
            bus,
            clock,
            self._ticker.add,
            self._remember,
            self._settle,
            self._turn_over.set,
            asyncio.get_running_loop().call_later,
            self.counters,
        )
        registry.watch(self._agent_changed)
        for message in HEARS:
            bus.subscribe(message, self._on_fact)
        bus.subscribe(SpeechChunk, self._on_speech)

    # what the edge calls

    async def attach(self, robot: str, hello: Hello, link: RobotLink) -> Attached:
        """Make ``link`` the robot's owner; see ``hub.session.link.Sessions``."""
        if self._draining:
            raise NotReady("the hub is shutting down")
        checked_robot_id(robot)
        async with self._locks.setdefault(robot, asyncio.Lock()):
            seat = self._seats.get(robot)
            if seat is not None:
                self._replace(seat)
            epoch = await self._store.next_epoch(robot)
            history = await self._store.load_history(robot)
            if seat is None:
                seat = await self._new_seat(robot)
            resumed = bool(hello.resume) and hello.resume == seat.state.session
            session = hello.resume if resumed else f"sess-{secrets.token_hex(6)}"
            self.counters.count("robots_attached")
            link.send(self._welcome(seat, link, session, epoch, resumed))
            seat.take_over(link, on.Connected(epoch, session, hello, history, resumed))
            log.info("robot connected", robot=robot, epoch=epoch, client=hello.client)
            return Attached(seat, epoch, self._on_detached)

    def _replace(self, seat: Seat) -> None:
        """Fence the owner connection and end its turn before anything is awaited, so that the
        history that is loaded next tells what was heard of it."""
        if seat.link is not None:
            self.counters.count("robots_taken_over")
            seat.replace_link(REPLACED, "replaced_by_newer_session")
            seat.detach(seat.state.epoch, REPLACED, "replaced_by_newer_session")

    def _welcome(
        self, seat: Seat, link: RobotLink, session: str, epoch: int, resumed: bool
    ) -> Welcome:
        return Welcome(
            session=session,
            epoch=epoch,
            resumed=resumed,
            resume=session,
            hub_id=self._store.hub_id,
            boot=self._bus.boot,
            order=0,
            lead_ms=link.profile.lead_ms,
        )

    async def _new_seat(self, robot: str) -> Seat:
        block = await self._store.reserve_turns(robot, _TURN_BLOCK)
        self._reserved[robot] = block.stop
        last = block.start - 1
        seat = Seat(robot, State(robot, self._policy, last_turn=last, fence=last), self._services)
        self._seats[robot] = seat
        for agent in self._registry.agents():
            self._offer(seat, agent)
        return seat

    async def say(
        self,
        robot: str,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 0.5,
        priority: str = Priority.PLAN,
        interruptible: bool = True,
    ) -> str:
        """Speak to a robot; see ``hub.session.link.Sessions``."""
        seat = self._seats.get(robot)
        if seat is None or not seat.state.connected:
            raise UnknownRobot(f"robot {robot!r} is not connected")
        self._last_request += 1
        request = self._last_request
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[request] = answer
        claim = Priority(priority)
        seat.feed(on.Announce(text, claim, emotion, intensity, interruptible, request))
        try:
            return await answer
        finally:
            self._waiting.pop(request, None)

    def robots(self) -> list[RobotStatus]:
        """Every robot this run of the hub has seen."""
        return [
            RobotStatus(
                seat.robot,
                seat.state.connected,
                seat.state.hello.client,
                seat.state.session,
                seat.state.epoch,
                seat.state.turn.number if seat.state.turn else 0,
                seat.state.face,
            )
            for seat in self._seats.values()
        ]

    def capabilities(self, robot: str) -> frozenset[str] | None:
        """Emotions, gestures and skills a connected robot declared; None if it is not connected."""
        seat = self._seats.get(robot)
        if seat is None or not seat.state.connected:
            return None
        able = seat.state.hello.capabilities
        return frozenset(able.emotions + able.gestures + able.skills)

    async def silent(self) -> None:
        """Return once no robot is in a turn."""
        while self.talking:
            self._turn_over.clear()
            await self._turn_over.wait()

    @property
    def talking(self) -> int:
        """How many robots are in a turn."""
        return sum(seat.state.turn is not None for seat in self._seats.values())

    def drain(self) -> None:
        """Take no new connection. Turns may go on; ``dismiss`` ends them."""
        self._draining = True

    def dismiss(self) -> None:
        """Send every robot away to come back later."""
        for seat in self._seats.values():
            if seat.link is not None:
                seat.link.close(4010, "draining")

    def _on_detached(self, robot: str) -> None:
        self.counters.count("robots_detached")
        self._tasks.create_task(self._saved(robot, self._store.seen([robot])))

    # what the bus brings

    def _on_fact(self, envelope: AnyEnvelope, _: bytes) -> None:
        if envelope.job:
            return
        seat, agent = self._seats.get(envelope.robot), self._registry.get(envelope.src)
        if seat is None or agent is None:
            self.counters.count("foreign_fact")
            return
        seat.on_fact(envelope, agent.kind, agent.role)
        self._keep_turns_reserved(seat)

    def _on_speech(self, envelope: AnyEnvelope, pcm: bytes) -> None:
        if envelope.job:
            return
        seat = self._seats.get(envelope.robot)
        if seat is None:
            self.counters.count("foreign_speech")
        else:
            seat.on_speech(envelope, pcm)

    def _agent_changed(self, agent: AgentInfo, up: bool) -> None:
        for seat in self._seats.values():
            if up:
                self._offer(seat, agent)
            else:
                self._withdraw(seat, agent)

    def _offer(self, seat: Seat, agent: AgentInfo) -> None:
        """Let ``agent`` serve a seat that has nobody of its kind."""
        key = (agent.kind, agent.role)
        if key in seat.agents or self._registry.pick(*key) is None:
            return
        best = self._registry.pick(*key)
        assert best is not None
        seat.agents[key] = best.instance
        seat.feed(on.AgentUp(*key))

    def _withdraw(self, seat: Seat, agent: AgentInfo) -> None:
        key = (agent.kind, agent.role)
        if seat.agents.get(key) != agent.instance:
            return
        del seat.agents[key]
        seat.feed(on.AgentDown(*key))
        self._offer(seat, agent)

    # what seats ask for

    def _settle(self, request: int, outcome: str) -> None:
        answer = self._waiting.get(request)
        if answer is not None and not answer.done():
            answer.set_result(outcome)

    def _remember(self, robot: str, session: str, exchange: Exchange) -> None:
        outcome = "interrupted" if exchange.interrupted else "done"
        record = Record(session, exchange, outcome)
        self._tasks.create_task(self._saved(robot, self._store.append_turn(robot, record)))

    async def _saved(self, robot: str, write: Awaitable[None]) -> None:
        """A full disk costs the history, never the conversation."""
        try:
            await write
        except HubError as error:
            self.counters.count("history_not_saved")
            log.error("history not saved", robot=robot, error=str(error))

    def _keep_turns_reserved(self, seat: Seat) -> None:
        left = self._reserved[seat.robot] - seat.state.last_turn
        if left <= _TURN_RESERVE and seat.robot not in self._reserving:
            self._reserving.add(seat.robot)
            self._tasks.create_task(self._reserve(seat.robot))

    async def _reserve(self, robot: str) -> None:
        try:
            block = await self._store.reserve_turns(robot, _TURN_BLOCK)
            self._reserved[robot] = block.stop
        finally:
            self._reserving.discard(robot)
