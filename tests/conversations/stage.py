"""A whole hub, its agents and a robot in one loop and virtual time.

Everything is the real thing (session manager, registry, runtime, ears, stt, planner, tts, the
simulated robot's supervisor) but for the engines, which follow a script, the bus, which is
in-process, and the WebSocket, which is a function call with a delay.
"""

import asyncio
import copy
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from agents.ears.agent import Ears
from agents.ears.backends.scripted import ScriptedActivity, ScriptedWake
from agents.ears.endpointing import Rules
from agents.planner.agent import Conversation, Plans
from agents.planner.backends.base import Planner
from agents.planner.backends.reflex import ReflexPlanner
from agents.planner.backends.scripted import ScriptedPlanner
from agents.runtime.life import Agent, AgentProcess, hello_of
from agents.stt.agent import Stt
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.tts.agent import Jobs, Responses
from agents.tts.backends.scripted import ScriptedVoice
from hub.broker.inproc import InprocBroker
from hub.jobs.desk import JobDesk
from hub.looking import JobLooking
from hub.registry import Registry
from hub.remembering import JobRemembering
from hub.reminders.desk import ReminderDesk
from hub.session.attached import Attached
from hub.session.character import Character
from hub.session.link import LinkProfile
from hub.session.manager import SessionManager
from hub.store.memory import MemoryStore
from hub.trace.entries import Entry
from hub.trace.monitor import Monitor
from hub.trace.tap import Tap
from protocols.envelope import AnyEnvelope, Message
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.agent import AgentKind
from protocols.messages.robot import (
    Capabilities,
    FromRobot,
    Hello,
    Numbered,
    SpeechFrame,
    ToRobot,
    Welcome,
)
from protocols.messages.session import EchoCanceller
from protocols.messages.turn import TurnEnded
from robot_sim.sequence import Sequence
from robot_sim.speaker import Speaker
from robot_sim.supervisor import Supervisor
from tests.fakes.mortal_bus import MortalBus
from tests.fakes.reminders import KeptReminders
from tests.virtual_time import clock_ns, until

T = TypeVar("T")
WALL_S = 1_800_000_000.0
"""What the clock on the wall shows where the virtual one shows 0."""
CHUNK_SAMPLES = 320
STEP_S = 0.02
RULES = Rules(
    start_ms=40,
    confirm_ms=200,
    pause_ms=100,
    min_voiced_ms=100,
    lead_in_ms=100,
    silence_ms=300,
    silence_min_ms=300,
    silence_max_ms=300,
    unfinished_ms=300,
)


class Robot:
    """A robot and the people around it. Implements ``RobotLink`` for the hub."""

    profile = LinkProfile(frame_ms=20, lead_ms=300, max_lead_ms=1_000, can_flush=True)

    def __init__(self, name: str, wire_delay_s: float = 0.005) -> None:
        self.name = name
        self.heard: list[ToRobot] = []
        self.frames: list[SpeechFrame] = []
        self.closed: tuple[int, str] | None = None
        self.speaker = Speaker(16_000, clock_ns())
        self.supervisor = Supervisor(name, Capabilities(), self.speaker, lambda _: None)
        self.session: Attached | None = None
        self.duplicate = False
        self._delay_s = wire_delay_s
        self._samples = 0
        self._talk: list[bytes] = []
        self.sequence = Sequence()
        self.welcomes: list[Welcome] = []
        self._on_the_way: deque[tuple[int, Callable[..., None], tuple[object, ...]]] = deque()
        self._line = 0
        """Number of the socket that works; what is on its way on another is lost."""
        self._mic_base = 0

    # the hub's side

    def send(self, message: ToRobot) -> None:
        self.from_hub(0, self.obey, message)

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        self.from_hub(0, self.buffer, header, pcm)

    def drop_speech(self, upto_turn: int) -> None:
        """Nothing is queued: frames are on their way at once."""

    def close(self, code: int, reason: str) -> None:
        if self._line == 0:
            self.closed = (code, reason)
            if self.session is not None:
                self.session.detach(code, reason)

    def from_hub(self, line: int, call: Callable[..., None], *args: object) -> None:
        """Something the hub sends through socket ``line``."""
        if line == self._line:
            self._later(call, *args)

    def cut(self, code: int = 1006, *, noticed: bool = True) -> None:
        """Lose the socket with everything on its way. ``noticed``: by the hub as well."""
        self._line = -abs(self._line) - 1
        session, self.session = self.session, None
        if noticed and session is not None:
            session.detach(code, "gone")

    def next_line(self) -> "Line":
        """A new socket."""
        self._line = abs(self._line) + 1
        self._mic_base = self._samples
        return Line(self, self._line)

    def greeting(self, **fields: object) -> Hello:
        """What it says when it comes back."""
        return Hello(
            resume=self.welcomes[-1].resume,
            boot=self.sequence.boot,
            order=self.sequence.last,
            playing=self.speaker.position,
            **fields,  # type: ignore[arg-type]
        )

    # the robot's side

    async def live(self) -> None:
        """Microphone and loudspeaker, chunk by chunk, for ever."""
        while self.closed is None:
            await asyncio.sleep(STEP_S)
            self._reply(self.supervisor.advance(clock_ns()))
            chunk = self._talk.pop(0) if self._talk else bytes(2 * CHUNK_SAMPLES)
            if self.session is not None:
                first = self._samples - self._mic_base
                self.session.on_mic(first, chunk)
                if self.duplicate:
                    self.session.on_mic(first, chunk)
            self._samples += len(chunk) // 2

    def speak(self, text: str, ms: int = 600) -> None:
        """Somebody says ``text`` for ``ms`` milliseconds, from now on."""
        steps = ms // 20
        start = marked_chunk(MarkKind.START, CHUNK_SAMPLES, text)
        self._talk += [start[i : i + 2 * CHUNK_SAMPLES] for i in range(0, len(start), 640)]
        self._talk += [bytes(2 * CHUNK_SAMPLES)] * max(0, steps - len(self._talk))
        self._talk.append(marked_chunk(MarkKind.STOP, CHUNK_SAMPLES))

    def call(self, *, alone: bool = False) -> None:
        """Somebody says the wake word, from now on, and nothing after it if ``alone``."""
        self._talk.append(marked_chunk(MarkKind.START, CHUNK_SAMPLES))
        self._talk += [bytes(2 * CHUNK_SAMPLES)] * 20
        self._talk.append(marked_chunk(MarkKind.WAKE, CHUNK_SAMPLES, "robot"))
        if alone:
            self._talk.append(marked_chunk(MarkKind.STOP, CHUNK_SAMPLES))

    def tell(self, message: FromRobot) -> None:
        self._later(self._pass_on, message)

    def told(self, kind: type[T]) -> list[T]:
        return [m for m in self.heard if isinstance(m, kind)]

    async def next(self, kind: type[T], count: int = 1) -> T:
        """Wait until ``count`` messages of a class have come; return the last."""
        await until(lambda: len(self.told(kind)) >= count)
        return self.told(kind)[count - 1]

    def played_ms(self, turn: int) -> float:
        return self.speaker.samples_played(turn) / 16

    def _later(self, call: Callable[..., None], *args: object) -> None:
        # Timers of one moment come in any order; a wire does not.
        self._on_the_way.append((self._line, call, args))
        asyncio.get_running_loop().call_later(self._delay_s, self._arrive)

    def _arrive(self) -> None:
        line, call, args = self._on_the_way.popleft()
        if line == self._line:
            call(*args)

    def obey(self, message: ToRobot) -> None:
        """A message has arrived."""
        if isinstance(message, Welcome):
            self.welcomes.append(message)
            self.sequence.welcomed(message)
        elif isinstance(message, Numbered) and message.order:
            assert self.sequence.take(message.order), "told twice"
            assert self.sequence.gaps == 0, "a message is missing"
        if self.closed is None:
            self.heard.append(message)
            self._reply(self.supervisor.on_message(message, clock_ns()))

    def buffer(self, header: SpeechFrame, pcm: bytes) -> None:
        """Speech has arrived."""
        if self.closed is None:
            self.frames.append(header)
            self._reply(self.supervisor.on_speech(header, pcm, clock_ns()))

    def _reply(self, messages: list[FromRobot]) -> None:
        for message in messages:
            self._later(self._pass_on, message)
            if self.duplicate:
                self._later(self._pass_on, message)

    def _pass_on(self, message: FromRobot) -> None:
        if self.session is not None and self.closed is None:
            self.session.on_message(message)


class Line:
    """A later socket of a robot."""

    profile = Robot.profile

    def __init__(self, robot: Robot, number: int) -> None:
        self._robot, self._number = robot, number
        self.closed: tuple[int, str] | None = None

    def send(self, message: ToRobot) -> None:
        self._robot.from_hub(self._number, self._robot.obey, message)

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        self._robot.from_hub(self._number, self._robot.buffer, header, pcm)

    def drop_speech(self, upto_turn: int) -> None:
        """Nothing is queued."""

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


class Stage:
    """The hub and its agents."""

    def __init__(self, tasks: asyncio.TaskGroup, store: MemoryStore | None = None) -> None:
        self.tasks = tasks
        self.broker = InprocBroker(clock_ns)
        self.store = store or MemoryStore(lambda: clock_ns() / 1e9)
        self.monitor = Monitor()
        self.trace: list[Entry] = []
        self.reminders = KeptReminders()
        self.characters: dict[str, Character] = {}
        self._new_hub(1)
        self.facts: list[AnyEnvelope] = []
        self.planner = ScriptedPlanner()
        self._lives: dict[str, asyncio.Task[object]] = {}
        self._started: dict[str, Callable[[], None]] = {}

    def _new_hub(self, boot: int) -> None:
        """A run of the hub; what an earlier one still does is seen by nobody."""
        bus = self.bus = MortalBus(self.broker.hub_bus(boot))
        self.registry = Registry(bus)  # type: ignore[arg-type]
        self.tap = Tap(clock_ns)
        self.tap.add(lambda entry: self.monitor.take(entry) if bus.alive else None)
        self.tap.add(lambda entry: self.trace.append(entry) if bus.alive else None)
        self.tap.started(boot)
        desk = self.desk = JobDesk(bus, self.registry)  # type: ignore[arg-type]
        self.reminding = ReminderDesk(self.reminders, lambda: WALL_S + clock_ns() / 1e9)
        self.sessions = SessionManager(
            bus, self.registry, self.store, self.tasks, clock_ns, tap=self.tap,  # type: ignore[arg-type]
            looking=JobLooking(desk), remembering=JobRemembering(desk), reminding=self.reminding,
            characters=lambda robot: self.characters.get(robot, Character()),
        )  # fmt: skip
        self._keeper = self.tasks.create_task(self.reminding.keep(self.sessions))
        self.registry.watch(lambda agent, up: None if up else desk.peer_lost(agent.instance))

    async def restart_hub(self, down_s: float = 0.0) -> None:
        """The hub dies as by ``kill -9`` and is there again ``down_s`` later, on the same disk.
        Agents outlive it; cut the robots before."""
        boot = self.bus.boot + 1
        self._keeper.cancel()
        await self.bus.die()
        self.store = copy.deepcopy(self.store)
        await asyncio.sleep(down_s)
        self._new_hub(boot)
        await self.bus.open()
        await self.sessions.recover()

    async def start(
        self, planner: Planner | None = None, recogniser: ScriptedRecogniser | None = None
    ) -> None:
        await self.bus.open()
        self.tasks.create_task(self._sample_depths())
        self.start_agent(
            "ears", AgentKind.EARS, Ears(ScriptedActivity(), None, ScriptedWake(), rules=RULES)
        )
        self.start_agent("stt", AgentKind.STT, Stt(recogniser or ScriptedRecogniser()))
        chosen = planner or self.planner
        self.start_agent("planner", AgentKind.PLANNER, Conversation(chosen), Plans(chosen))
        reflex = ReflexPlanner()
        self.start_agent(
            "reflex", AgentKind.PLANNER, Conversation(reflex), Plans(reflex), role="reflex"
        )
        voice = ScriptedVoice(word_ms=200)
        self.start_agent("tts", AgentKind.TTS, Responses(voice), Jobs(voice))
        observer = self.broker.observer("test")
        observer.subscribe(TurnEnded, lambda envelope, _: self.facts.append(envelope))
        await observer.open()
        await until(lambda: sum(a.capacity > 0 for a in self.registry.agents()) == 5)

    async def _sample_depths(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self.tap.depths(self.bus.depths())
            self.tap.depths(self.sessions.depths())

    def start_agent(
        self, name: str, kind: AgentKind, *services: object, role: str = "primary"
    ) -> None:
        agent = Agent(ScriptedActivity(), services, capacity=100)  # type: ignore[arg-type]
        bus = self.broker.agent_bus(name, hello_of(kind, role, agent, 1))
        process = AgentProcess(bus, agent, clock=clock_ns)
        self._lives[name] = self.tasks.create_task(process.run())
        self._started[name] = lambda: self.start_agent(f"{name}-2", kind, *services, role=role)

    def revive(self, name: str) -> None:
        """An agent that was killed is started again, as another instance."""
        self._started[name]()

    def kill(self, name: str) -> None:
        """An agent's process is gone from one moment to the next."""
        self._lives.pop(name).cancel()
        self.broker.cut(name, "killed", seconds=float("inf"))

    async def connect(self, robot: Robot, **hello: object) -> Robot:
        fields = {"aec": EchoCanceller.DEVICE} | hello
        robot.session = await self.sessions.attach(robot.name, Hello(**fields), robot)  # type: ignore[arg-type]
        self.tasks.create_task(robot.live())
        return robot

    async def come_back(self, robot: Robot, **hello: object) -> Line:
        """The same device on a new socket, with what it remembers."""
        line = robot.next_line()
        fields = {"aec": EchoCanceller.DEVICE} | hello
        robot.session = await self.sessions.attach(robot.name, robot.greeting(**fields), line)
        return line

    async def reconnect(self, robot: Robot) -> Robot:
        """A second connection of the same robot."""
        return await self.connect(Robot(robot.name))

    def ended(self, robot: str = "r1") -> list[Message]:
        return [e.body for e in self.facts if e.robot == robot]


@asynccontextmanager
async def stage(
    planner: Planner | None = None,
    store: MemoryStore | None = None,
    recogniser: ScriptedRecogniser | None = None,
) -> AsyncIterator[Stage]:
    """A stage that is torn down at the end, whatever still runs on it."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(_forever())
        theatre = Stage(tasks, store)
        await theatre.start(planner, recogniser)
        try:
            yield theatre
        finally:
            running.cancel()
            for task in [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]:
                task.cancel()
    assert not theatre.monitor.violations, theatre.monitor.violations[0]


async def _forever() -> None:
    await asyncio.Event().wait()
