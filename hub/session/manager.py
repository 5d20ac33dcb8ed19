"""The shell around the session engines: connections in, facts in, time in; decisions out."""

import asyncio
import dataclasses
import secrets
from collections.abc import Callable, Iterator
from functools import partial

import structlog

from hub.counters import Counters
from hub.errors import Duel, NotReady, UnknownRobot
from hub.open_turn import OpenTurn
from hub.registry import AgentInfo, Registry
from hub.session import duel
from hub.session import events as on
from hub.session.attached import Attached, RobotStatus, status_of, welcome_of
from hub.session.character import Character
from hub.session.diary import Diary, Reminding
from hub.session.engine import HEARS
from hub.session.eyes import Blind, EyeServices, Looking
from hub.session.leftovers import Leftovers, Notebook, played_ms
from hub.session.link import WAIT_MS, RobotLink
from hub.session.memories import Memories, Remembering
from hub.session.requests import Requests
from hub.session.scribe import Scribe
from hub.session.seat import Seat
from hub.session.seat_services import SeatServices
from hub.session.stash import Stash
from hub.session.state import Policy, State
from hub.session.tap import SessionTap
from hub.session.ticker import Ticker
from hub.session.turn_numbers import TurnNumbers
from hub.session.view import RobotView, view_of
from hub.store.base import Store
from protocols.bus import HubBus
from protocols.envelope import AnyEnvelope
from protocols.identity import checked_robot_id
from protocols.messages.audio import SpeechChunk
from protocols.messages.robot import Hello
from protocols.messages.session import Attention, AttentionChanged
from protocols.messages.turn import Priority
from protocols.qos import QueueDepth
from protocols.vocabulary import EMOTIONS

log = structlog.get_logger()

AnswerWatcher = Callable[[str, tuple[str, ...]], None]
"""Called with a robot and the instances that are answering it; with none once they have."""


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
        tap: SessionTap | None = None,
        looking: Looking | None = None,
        remembering: Remembering | None = None,
        reminding: Reminding | None = None,
        characters: Callable[[str], Character] = lambda robot: Character(),
    ) -> None:
        self.counters = counters or Counters()
        self._tap = tap
        if tap is not None:
            bus.tap(tap)
        self._bus = bus
        self._registry = registry
        self._store = store
        self._tasks = tasks
        self._policy = policy or Policy()
        self._seats: dict[str, Seat] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._takeovers: dict[str, tuple[float, ...]] = {}
        self._answered: set[str] = set()
        self._answer_watchers: list[AnswerWatcher] = []
        self._numbers = TurnNumbers(store, tasks, self.counters)
        self._requests = Requests()
        self._characters = characters
        self._draining = False
        self._turn_over = asyncio.Event()
        self.stash = Stash()
        self._ticker = Ticker(clock)
        self._scribe = Scribe(store, tasks.create_task, self.counters)
        self._notebook = Notebook(self._scribe.keep_open)
        self._leftovers = Leftovers(
            bus, store, clock, self._policy.restart_ms / 1_000, self.counters
        )
        self._services = SeatServices(
            bus,
            clock,
            self._ticker.add,
            self._scribe.remember,
            self._turn_changed,
            self._requests.settle,
            self._turn_over.set,
            asyncio.get_running_loop().call_later,
            self.counters,
            EyeServices(looking or Blind(), tasks.create_task, clock, self.counters),
            Memories(remembering, tasks.create_task, self.counters),
            Diary(reminding, tasks.create_task, self.counters),
        )
        registry.watch(self._agent_changed)
        for message in HEARS:
            bus.subscribe(message, self._on_fact)
        bus.subscribe(SpeechChunk, self._on_speech)

    def watch_answers(self, watcher: AnswerWatcher) -> None:
        """Be told, from now on, when robots begin to be answered and when they are no more."""
        self._answer_watchers.append(watcher)

    async def recover(self) -> None:
        """Take up what an earlier run of the hub has left; called once, when the bus is open and
        no robot has come yet.

        Raises:
            StoreFailed: the disk does not do its part.
        """
        for robot, wait_s in (await self._leftovers.load()).items():
            asyncio.get_running_loop().call_later(wait_s, self._give_up, robot)

    # what the edge calls

    async def attach(
        self, robot: str, hello: Hello, link: RobotLink, *, fresh: bool = False
    ) -> Attached:
        """Make ``link`` the robot's owner; see ``hub.session.link.Sessions``."""
        if self._draining:
            raise NotReady("the hub is shutting down")
        checked_robot_id(robot)
        async with self._locks.setdefault(robot, asyncio.Lock()):
            seat = self._seats.get(robot)
            if seat is not None:
                self._settle_duel(seat, hello)
                self._make_room(seat, hello, link)
            left = await self._leftovers.claim(robot, hello.resume)
            epoch = await self._store.next_epoch(robot)
            if fresh:
                await self._store.forget(robot)
            history = await self._store.load_history(robot)
            self.stash.came(robot, found=bool(history))
            if seat is None:
                seat = await self._new_seat(robot)
            else:
                await self._numbers.ensure(seat)
            awaited = seat.awaits(hello, link.profile)
            resumed = awaited or left is not None
            session = hello.resume if resumed else f"sess-{secrets.token_hex(6)}"
            self.counters.count("robots_attached")
            seen = None
            if self._tap is not None:
                link = seen = self._tap.connect(robot, epoch, session, hello, resumed, link)
            event = on.Connected(epoch, session, hello, history, link.profile.can_flush, resumed)
            order = seat.order if awaited else 0
            link.send(welcome_of(link, event, order, self._store.hub_id, self._bus.boot))
            self._take_seat(seat, link, event, awaited, left)
            log.info(
                "robot connected", robot=robot, epoch=epoch, client=hello.client, resumed=resumed
            )
            return Attached(seat, epoch, self._on_detached, seen)

    def _take_seat(
        self,
        seat: Seat,
        link: RobotLink,
        event: on.Connected,
        awaited: bool,
        left: OpenTurn | None,
    ) -> None:
        """Begin a session; or go on with the one that waits (``awaited``), or with one that an
        earlier run of the hub could not end (``left``)."""
        if awaited:
            self.counters.count("sessions_resumed")
            seat.come_back(link, event)
            return
        seat.take_over(link, event)
        if left is not None:
            self._notebook.expect(seat.robot)
            seat.feed(on.Restarted(left, played_ms(left, event.hello)))
            self._notebook.note(seat)

    def _settle_duel(self, seat: Seat, hello: Hello) -> None:
        """Raises:
        Duel: devices take this robot from each other, and the one that has it keeps it.
        """
        if seat.link is None or (hello.resume and hello.resume == seat.state.session):
            return
        now_s = asyncio.get_running_loop().time()
        verdict = duel.decide(self._takeovers.get(seat.robot, ()), now_s)
        self._takeovers[seat.robot] = verdict.takeovers
        if not verdict.granted:
            self.counters.count("robots_duelled")
            raise Duel(seat.robot, verdict.retry_after_s)

    def _make_room(self, seat: Seat, hello: Hello, link: RobotLink) -> None:
        """Fence the owner connection, and end its turn unless its session goes on, before anything
        is awaited: the history that is loaded next tells what was heard of it."""
        if seat.link is not None:
            self.counters.count("robots_taken_over")
        seat.make_room(resuming=seat.awaits(hello, link.profile))

    async def _new_seat(self, robot: str) -> Seat:
        last = await self._numbers.first(robot)
        state = State(
            robot, self._policy, last_turn=last, fence=last, own=self._characters(robot),
            keeps_reminders=self._services.diary.is_kept,
        )  # fmt: skip
        seat = Seat(robot, state, self._services)
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
        gestures: tuple[str, ...] = (),
        when_free: bool = False,
        ttl_ms: int = WAIT_MS,
        asked: bool = False,
    ) -> str:
        """Speak to a robot; see ``hub.session.link.Sessions``."""
        seat, claim = self.seat(robot), Priority(priority)
        wanted = on.Announce(
            text, claim, emotion, intensity, interruptible, 0, gestures, when_free, ttl_ms, asked
        )
        return await self._requests.outcome(
            lambda number: seat.feed(dataclasses.replace(wanted, request=number))
        )

    def attend(
        self, robot: str, attention: Attention | None = None, muted: bool | None = None
    ) -> AttentionChanged:
        """See ``hub.session.link.Sessions``."""
        return self.seat(robot).attend(attention, muted)

    async def remind(self, robot: str, text: str) -> str:
        """Say what a robot's user has asked to be reminded of; see ``hub.reminders.desk``."""
        return await self.say(robot, text, asked=True)

    def is_free(self, robot: str) -> bool:
        """Whether a robot could say something at once."""
        seat = self._seats.get(robot)
        return seat is not None and seat.state.is_free and not self._draining

    def characterise(self) -> None:
        """Profiles, or the time of day, may have changed: tell those robots that it concerns."""
        for seat in self._seats.values():
            now, told = self._characters(seat.robot), seat.state.coming or seat.state.own
            if now != told:
                seat.feed(on.Characterised(now))

    def seat(self, robot: str) -> Seat:
        """The seat of a connected robot; raises ``UnknownRobot`` if it is not connected."""
        seat = self._seats.get(robot)
        if seat is None or not seat.state.connected:
            raise UnknownRobot(f"robot {robot!r} is not connected")
        return seat

    def robots(self) -> list[RobotStatus]:
        """Every robot this run of the hub has seen."""
        return [status_of(seat) for seat in self._seats.values()]

    def view(self, robot: str) -> RobotView:
        """See ``hub.session.view.Views``."""
        if robot not in self._seats:
            raise UnknownRobot(f"robot {robot!r} is not known")
        return view_of(self._seats[robot])

    def connected(self) -> list[str]:
        """See ``hub.session.view.Views``."""
        return sorted(seat.robot for seat in self._seats.values() if seat.state.connected)

    def capabilities(self, robot: str) -> frozenset[str] | None:
        """Emotions, gestures and skills a robot may use, of those it declared if it is connected;
        None: of one that is not, and whose profile does not say."""
        seat = self._seats.get(robot)
        if seat is None or not seat.state.connected:
            may = self._characters(robot).able
            return None if may is None else may | frozenset(EMOTIONS)
        able = seat.state.able
        return frozenset(able.emotions + able.gestures + able.skills)

    def is_quiet(self, robot: str) -> bool:
        """Whether a robot is in its quiet hours."""
        return self._characters(robot).quiet

    async def expire_history(self) -> None:
        """Forget the conversations of robots that are long gone."""
        await self._scribe.expire(self.stash, self.connected)

    def depths(self) -> Iterator[QueueDepth]:
        """What waits for robots at this moment: made but not heard, and not taken by a socket."""
        for seat in self._seats.values():
            yield from seat.depths()

    async def silent(self) -> None:
        """Return once no robot is in a turn."""
        while self.talking:
            self._turn_over.clear()
            await self._turn_over.wait()

    @property
    def talking(self) -> int:
        """How many connected robots are in a turn."""
        return sum(seat.talking for seat in self._seats.values())

    def drain(self) -> None:
        """Take no new connection. Turns may go on; ``dismiss`` ends them."""
        self._draining = True

    def dismiss(self) -> None:
        """Send every robot away to come back later. What a robot still had to say is left to the
        next run of the hub."""
        self._notebook.close()
        for seat in self._seats.values():
            if seat.link is not None:
                seat.link.close(4010, "draining")

    def _on_detached(self, robot: str) -> None:
        self.counters.count("robots_detached")
        self.stash.left(robot, spoke=bool(self._seats[robot].state.history))
        self._scribe.later(robot, partial(self._store.seen, [robot]))

    # what the bus brings

    def _on_fact(self, envelope: AnyEnvelope, _: bytes) -> None:
        if envelope.job:
            return
        seat, agent = self._seats.get(envelope.robot), self._registry.get(envelope.src)
        if seat is None or agent is None:
            self.counters.count("foreign_fact")
            return
        seat.on_fact(envelope, agent.kind, agent.role)

    def _on_speech(self, envelope: AnyEnvelope, pcm: bytes) -> None:
        if envelope.job:
            return
        seat = self._seats.get(envelope.robot)
        if seat is None:
            self.counters.count("foreign_speech")
        else:
            if self._tap is not None:
                self._tap.speech(envelope, pcm)
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

    def _give_up(self, robot: str) -> None:
        if not self._draining:
            self._scribe.later(robot, partial(self._leftovers.give_up, robot))

    def _turn_changed(self, seat: Seat) -> None:
        self._notebook.note(seat)
        self._numbers.used(seat)
        answered = seat.state.being_answered
        if answered != (seat.robot in self._answered):
            (self._answered.add if answered else self._answered.discard)(seat.robot)
            for watcher in self._answer_watchers:
                watcher(seat.robot, tuple(seat.agents.values()) if answered else ())
