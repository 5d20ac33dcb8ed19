"""A whole hub, its agents and a robot in one loop and virtual time.

Everything is the real thing (session manager, registry, runtime, ears, stt, planner, tts, the
simulated robot's supervisor) but for the engines, which follow a script, the bus, which is
in-process, and the WebSocket, which is a function call with a delay.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from agents.ears.agent import Ears
from agents.ears.backends.scripted import ScriptedActivity
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
from hub.registry import Registry
from hub.session.link import LinkProfile
from hub.session.manager import Attached, SessionManager
from hub.store.memory import MemoryStore
from protocols.envelope import AnyEnvelope, Message
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.agent import AgentKind
from protocols.messages.robot import Capabilities, FromRobot, Hello, SpeechFrame, ToRobot
from protocols.messages.session import EchoCanceller
from protocols.messages.turn import TurnEnded
from robot_sim.speaker import Speaker
from robot_sim.supervisor import Supervisor
from tests.virtual_time import clock_ns, until

T = TypeVar("T")
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
        self._on_the_way: deque[tuple[Callable[..., None], tuple[object, ...]]] = deque()

    # the hub's side

    def send(self, message: ToRobot) -> None:
        self._later(self._obey, message)

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        self._later(self._buffer, header, pcm)

    def drop_speech(self, upto_turn: int) -> None:
        """Nothing is queued: frames are on their way at once."""

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)
        if self.session is not None:
            self.session.detach(code, reason)

    # the robot's side

    async def live(self) -> None:
        """Microphone and loudspeaker, chunk by chunk, for ever."""
        while self.closed is None:
            await asyncio.sleep(STEP_S)
            self._reply(self.supervisor.advance(clock_ns()))
            chunk = self._talk.pop(0) if self._talk else bytes(2 * CHUNK_SAMPLES)
            if self.session is not None:
                self.session.on_mic(self._samples, chunk)
                if self.duplicate:
                    self.session.on_mic(self._samples, chunk)
            self._samples += len(chunk) // 2

    def speak(self, text: str, ms: int = 600) -> None:
        """Somebody says ``text`` for ``ms`` milliseconds, from now on."""
        steps = ms // 20
        start = marked_chunk(MarkKind.START, CHUNK_SAMPLES, text)
        self._talk += [start[i : i + 2 * CHUNK_SAMPLES] for i in range(0, len(start), 640)]
        self._talk += [bytes(2 * CHUNK_SAMPLES)] * max(0, steps - len(self._talk))
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
        self._on_the_way.append((call, args))
        asyncio.get_running_loop().call_later(self._delay_s, self._arrive)

    def _arrive(self) -> None:
        call, args = self._on_the_way.popleft()
        call(*args)

    def _obey(self, message: ToRobot) -> None:
        if self.closed is None:
            self.heard.append(message)
            self._reply(self.supervisor.on_message(message, clock_ns()))

    def _buffer(self, header: SpeechFrame, pcm: bytes) -> None:
        if self.closed is None:
            self.frames.append(header)
            self._reply(self.supervisor.on_speech(header, pcm, clock_ns()))

    def _reply(self, messages: Sequence[FromRobot]) -> None:
        for message in messages:
            self._later(self._pass_on, message)
            if self.duplicate:
                self._later(self._pass_on, message)

    def _pass_on(self, message: FromRobot) -> None:
        if self.session is not None and self.closed is None:
            self.session.on_message(message)


class Stage:
    """The hub and its agents."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.tasks = tasks
        self.broker = InprocBroker(clock_ns)
        self.bus = self.broker.hub_bus()
        self.store = MemoryStore(lambda: clock_ns() / 1e9)
        self.registry = Registry(self.bus)
        self.sessions = SessionManager(self.bus, self.registry, self.store, tasks, clock_ns)
        self.facts: list[AnyEnvelope] = []
        self.planner = ScriptedPlanner()
        self._lives: dict[str, asyncio.Task[object]] = {}

    async def start(self, planner: Planner | None = None) -> None:
        await self.bus.open()
        self.start_agent("ears", AgentKind.EARS, Ears(ScriptedActivity(), None, rules=RULES))
        self.start_agent("stt", AgentKind.STT, Stt(ScriptedRecogniser()))
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

    def start_agent(
        self, name: str, kind: AgentKind, *services: object, role: str = "primary"
    ) -> None:
        agent = Agent(ScriptedActivity(), services, capacity=100)  # type: ignore[arg-type]
        bus = self.broker.agent_bus(name, hello_of(kind, role, agent, 1))
        process = AgentProcess(bus, agent, clock=clock_ns)
        self._lives[name] = self.tasks.create_task(process.run())

    def kill(self, name: str) -> None:
        """An agent's process is gone from one moment to the next."""
        self._lives.pop(name).cancel()
        self.broker.cut(name, "killed", seconds=float("inf"))

    async def connect(self, robot: Robot, **hello: object) -> Robot:
        fields = {"aec": EchoCanceller.DEVICE} | hello
        robot.session = await self.sessions.attach(robot.name, Hello(**fields), robot)  # type: ignore[arg-type]
        self.tasks.create_task(robot.live())
        return robot

    async def reconnect(self, robot: Robot) -> Robot:
        """A second connection of the same robot."""
        return await self.connect(Robot(robot.name))

    def ended(self, robot: str = "r1") -> list[Message]:
        return [e.body for e in self.facts if e.robot == robot]


@asynccontextmanager
async def stage(planner: Planner | None = None) -> AsyncIterator[Stage]:
    """A stage that is torn down at the end, whatever still runs on it."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(_forever())
        theatre = Stage(tasks)
        await theatre.start(planner)
        try:
            yield theatre
        finally:
            running.cancel()
            for task in [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]:
                task.cancel()


async def _forever() -> None:
    await asyncio.Event().wait()
