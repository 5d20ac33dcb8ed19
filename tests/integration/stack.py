"""A whole hub in one process: its real parts as ``hub/app.py`` wires them, and agents with
scripted engines, on real ZeroMQ and real WebSockets."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx

from agents.ears.agent import Ears
from agents.ears.backends.scripted import ScriptedActivity
from agents.ears.endpointing import INSTANT
from agents.planner.agent import Chats, Conversation, Plans
from agents.planner.backends.base import Planner
from agents.planner.backends.reflex import ReflexPlanner
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.planner.slotted import SlottedPlanner
from agents.runtime.bus.zmq import ZmqAgentBus
from agents.runtime.life import Agent, AgentProcess, hello_of
from agents.runtime.models import agent_on
from agents.runtime.service import Backend, BatchService, Service
from agents.runtime.slot import EngineSlot
from agents.stt.agent import Stt
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.stt.recordings import Transcriptions
from agents.tts.agent import Jobs, Responses
from agents.tts.backends.base import Voice
from agents.tts.backends.scripted import ScriptedVoice
from hub.app import run
from hub.settings import Settings
from hub.store.sqlite import SqliteStore
from protocols.envelope import AnyEnvelope, Message
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.agent import AgentHealth, AgentKind, AgentState
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.robot import Error
from protocols.messages.turn import Exchange, TurnEnded, TurnReopened, TurnStart
from robot_sim.events import Linked
from robot_sim.microphone import CHUNK_SAMPLES
from robot_sim.robot import RobotOptions, SimulatedRobot, simulator_hello

M = TypeVar("M", bound=Message)
PlannerPart = Planner | EngineSlot[Planner] | Agent
T = TypeVar("T")

PATIENCE_S = 10.0
WORD_MS = 150
"""How long the scripted voice speaks a word."""
NO_NOISE_DBFS = -200.0
"""Marks must reach ears as they were made."""


def spoken(text: str = "", ms: int = 200) -> bytes:
    """A voice of ``ms`` that says ``text``, as scripted ears and stt hear it, and its end."""
    start = marked_chunk(MarkKind.START, CHUNK_SAMPLES, text)
    voiced = start.ljust(2 * MIC_RATE_HZ * ms // 1000, b"\0")
    return voiced + marked_chunk(MarkKind.STOP, CHUNK_SAMPLES)


def told(robot: SimulatedRobot, kind: type[T]) -> list[T]:
    """All happenings of ``kind`` so far, in order."""
    return [event.what for event in robot.log if isinstance(event.what, kind)]


class Remembering(ScriptedPlanner):
    """A planner that echoes, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[TurnStart] = []

    def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        self.asked.append(turn)
        return super().answer(turn)


def stuck_planner() -> ScriptedPlanner:
    """A planner whose first answer never comes."""
    never = asyncio.Event()

    async def forever(_: float) -> None:
        await never.wait()

    return ScriptedPlanner([Script(("too late",), pause_s=1.0)], sleep=forever)


class Stack:
    """A hub that runs, and the ways into it. ``facts`` are what it has told its observers."""

    def __init__(self, settings: Settings) -> None:
        self.url = f"http://127.0.0.1:{settings.server_port}"
        self.facts: list[AnyEnvelope] = []
        self._settings = settings
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._hub: asyncio.Task[None] | None = None
        self._observer = ZmqAgentBus(settings.bus_dir, "test", None)

    def ws(self, path: str) -> str:
        """Address of a WebSocket route."""
        return f"ws{self.url.removeprefix('http')}{path}"

    @asynccontextmanager
    async def robot(self, robot_id: str = "r1", **hello: object) -> AsyncIterator[SimulatedRobot]:
        """A robot that is connected and heard; by default one that may be interrupted by voice."""
        options = RobotOptions(hello=simulator_hello(**hello), noise_dbfs=NO_NOISE_DBFS)
        async with SimulatedRobot(self.url, robot_id, options) as robot:
            await robot.next(Linked)
            await _heard(robot)
            yield robot

    def http(self) -> httpx.AsyncClient:
        """A client of the hub's HTTP routes."""
        return httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_S, trust_env=False)

    def observe(self, kind: type[Message]) -> None:
        """Note the facts of ``kind`` as well."""
        self._observer.subscribe(kind, self._note)

    async def fact(self, kind: type[M], where: Callable[[M], bool] = lambda _: True) -> M:
        """The first fact of ``kind`` that the hub has published or will publish."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for envelope in self.facts:
                    if isinstance(envelope.body, kind) and where(envelope.body):
                        return envelope.body
                self._changed.clear()
                await self._changed.wait()

    async def history(self, robot: str = "r1") -> tuple[Exchange, ...]:
        """What is stored of a robot's conversation. Stops the hub, so that all of it is."""
        await self.stop()
        store = SqliteStore(self._settings.hub_data_dir)
        await store.open()
        try:
            return await store.load_history(robot)
        finally:
            await store.close()

    async def kill(self, name: str) -> None:
        """End the agent ``kind-role`` in the middle of whatever it does."""
        await _end(self._lives.pop(name))

    async def start(self, tasks: asyncio.TaskGroup, agents: Sequence[tuple[str, Agent]]) -> None:
        """Start the hub, then its agents; return once all of them are ready."""
        self._hub = tasks.create_task(run(self._settings, self._stop))
        for kind in (AgentHealth, TurnEnded, TurnReopened):
            self._observer.subscribe(kind, self._note)
        async with asyncio.timeout(PATIENCE_S):
            await self._observer.open()
            for name, agent in agents:
                self._lives[name] = tasks.create_task(self._live(name, agent))
            while len(self._ready()) < len(agents):
                self._changed.clear()
                await self._changed.wait()

    async def stop(self) -> None:
        """End everything; idempotent."""
        await self._observer.close()
        self._stop.set()
        if self._hub is not None:
            await asyncio.wait([self._hub])
        for name in list(self._lives):
            await self.kill(name)

    async def _live(self, name: str, agent: Agent) -> None:
        kind, _, role = name.partition("-")
        hello = hello_of(AgentKind(kind), role, agent, pid=0)
        bus = ZmqAgentBus(self._settings.bus_dir, name, hello)
        await AgentProcess(bus, agent, clock=time.monotonic_ns, hello=hello).run()

    def _ready(self) -> set[str]:
        bodies = ((e.session, e.body) for e in self.facts if isinstance(e.body, AgentHealth))
        return {name for name, health in bodies if health.state is AgentState.READY}

    def _note(self, envelope: AnyEnvelope, _: bytes) -> None:
        self.facts.append(envelope)
        self._changed.set()


@asynccontextmanager
async def running(
    data_dir: Path,
    *,
    planner: PlannerPart | None = None,
    voice: Voice | None = None,
    others: Sequence[tuple[str, Agent]] = (),
    **settings: object,
) -> AsyncIterator[Stack]:
    """A hub with all its agents, ready to be talked to, for as long as the context is open.

    Args:
        data_dir: where the hub keeps its data.
        planner: the primary planner, its slot or its agent, else one that echoes what the user says.
        voice: the voice, else one that beeps every word.
        others: further agents, each with its kind and role (``vision-primary``).
        settings: further fields of the hub's settings.
    """
    chosen = Settings(
        **{
            "hub_data_dir": data_dir,
            "server_host": "127.0.0.1",
            "server_port": _free_port(),
            "hub_drain_s": 0,
            **settings,
        }  # type: ignore[arg-type]
    )
    stack = Stack(chosen)
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        try:
            await stack.start(tasks, [*_agents(planner or ScriptedPlanner(), voice), *others])
            yield stack
        except Exception as error:
            failure = error  # out of the group as itself
        finally:
            await stack.stop()
    if failure is not None:
        raise failure


def _agents(planner: PlannerPart, voice: Voice | None) -> list[tuple[str, Agent]]:
    activity, recogniser, reflex = ScriptedActivity(), ScriptedRecogniser(), ReflexPlanner()
    beeps = voice or ScriptedVoice(word_ms=WORD_MS)
    ears = Ears(activity, rules=INSTANT)
    return [
        ("ears-primary", _agent(activity, ears)),
        ("stt-primary", _agent(recogniser, Stt(recogniser), Transcriptions(recogniser))),
        ("planner-primary", _planner(planner)),
        ("planner-reflex", _agent(reflex, Conversation(reflex), Plans(reflex))),
        ("tts-primary", _agent(beeps, Responses(beeps), Jobs(beeps))),
    ]


def _planner(planner: PlannerPart) -> Agent:
    if isinstance(planner, Agent):
        return planner
    if isinstance(planner, EngineSlot):
        slotted = SlottedPlanner(planner)
        services = (Conversation(slotted), Plans(slotted), Chats(slotted))
        return agent_on(planner, slotted, *services)
    return _agent(planner, Conversation(planner), Plans(planner), Chats(planner))


def _agent(backend: Backend, *services: Service | BatchService) -> Agent:
    return Agent(backend, services, capacity=64)


async def _heard(robot: SimulatedRobot) -> None:
    """Return once ears and stt serve ``robot``: a voice without words reaches both of them."""
    while True:
        robot.say(spoken(ms=40))
        with suppress(TimeoutError):
            await robot.next(Error, lambda error: error.code == "not_understood", timeout_s=1.0)
            return


async def _end(life: "asyncio.Task[None]") -> None:
    life.cancel()
    await asyncio.wait([life])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
