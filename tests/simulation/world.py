"""A hub, its agents and its robots in one loop and virtual time."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

from agents.ears.agent import Ears
from agents.ears.backends.scripted import ScriptedActivity
from agents.planner.agent import Conversation, Plans
from agents.planner.backends.base import Planner
from agents.planner.backends.reflex import ReflexPlanner
from agents.runtime.life import Agent, AgentProcess, hello_of
from agents.stt.agent import Stt
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.tts.agent import Jobs, Responses
from hub.broker.inproc import InprocBroker
from hub.session.link import RobotLink
from hub.store.base import Store
from protocols.messages.agent import AgentKind
from protocols.messages.turn import Priority, TurnStart
from tests.conversations.stage import RULES
from tests.simulation import queues
from tests.simulation.breaker import Breaker
from tests.simulation.bus import AgentEnd
from tests.simulation.checks import Watch
from tests.simulation.device import Device
from tests.simulation.disk import Disk, new_memory
from tests.simulation.engines import SeededPlanner, SeededVoice, Words
from tests.simulation.facts import Facts
from tests.simulation.hub import HubRun
from tests.simulation.plan import AGENTS, FAULTS_END_S, Act, Deed, Fault, Person, Plan
from tests.simulation.story import Story
from tests.simulation.wire import Socket
from tests.virtual_time import START_S, clock_ns, until

HEALTHY_WITHIN_S = 10.0
"""I8: after the last fault."""
_ASK_AFTER_S = 2.0
_LOOK_EVERY_S = 0.2
_SETTLE_S = 0.6
_KINDS = {
    "ears": (AgentKind.EARS, "primary"),
    "stt": (AgentKind.STT, "primary"),
    "planner": (AgentKind.PLANNER, "primary"),
    "reflex": (AgentKind.PLANNER, "reflex"),
    "tts": (AgentKind.TTS, "primary"),
}


class AgentLife:
    """One process of an agent: its end of the bus and the task it lives in."""

    def __init__(self, bus: AgentEnd, process: AgentProcess, task: asyncio.Task[Any]) -> None:
        self.bus, self.process, self.task = bus, process, task


class World:
    """Everything of one seed. What a test wants otherwise, it overrides: ``device_kind``,
    ``new_store``, ``attached``."""

    device_kind: type[Device] = Device

    def __init__(self, plan: Plan, tasks: asyncio.TaskGroup) -> None:
        self.plan = plan
        self.story = Story()
        self.words = Words()
        self.watch = Watch(self.story, self.words)
        self.facts = Facts(self.story, self.watch)
        self.broker = InprocBroker(clock_ns)
        self.memory = self.new_store()
        self.disk = Disk(self.memory, self._chance("disk"), Fault.DELAY in plan.faults, self.watch)
        self.hub: HubRun | None = None
        self.agents: dict[str, AgentLife] = {}
        self.devices: list[Device] = []
        self.tasks = tasks
        self._generation = 0
        self._loop = asyncio.get_running_loop()
        self._answered: dict[str, float] = {}

    # what may be replaced

    def new_store(self) -> Store:
        """What keeps epochs, turns and history."""
        return new_memory()

    def attached(self, link: RobotLink) -> None:
        """A robot's link is about to be given to the sessions."""

    # its course

    async def live(self) -> None:
        """From the first moment to the last check."""
        self._loop.set_exception_handler(self._crashed)
        await self.start_hub()
        for name in AGENTS:
            self.start_agent(name)
        watcher = AgentEnd(self.broker, "watcher", None, self._chance("watcher"), self.plan.faults)
        self.facts.watch(watcher, self.tasks)
        self.watcher = watcher
        await watcher.open()
        self.devices = [self._new_device(person) for person in self.plan.robots]
        for at, device in enumerate(self.devices):
            self._loop.call_later(0.02 * (at + 1), device.connect)
        for deed in self.plan.deeds:
            self._loop.call_at(START_S + deed.at_s, self._act, deed)
        breaker = Breaker(self)
        for broken in self.plan.breaks:
            self._loop.call_at(START_S + broken.at_s, breaker.strike, broken)
        await self._look_around(FAULTS_END_S + _ASK_AFTER_S)
        await self._ask_everybody()
        await self._look_around(self._now() + _SETTLE_S)
        await until(lambda: not any(d.socket and d.socket.busy for d in self.devices))
        self._check_end()

    async def end(self) -> None:
        """Nothing happens any more."""
        if self.hub is not None:
            await self.hub.kill()

    def _now(self) -> float:
        return self._loop.time() - START_S

    async def _look_around(self, until_s: float) -> None:
        """Compare queues with their bounds until then."""
        while self._now() < until_s:
            await asyncio.sleep(min(_LOOK_EVERY_S, max(0.001, until_s - self._now())))
            self.check_queues()

    def check_queues(self) -> None:
        """I6."""
        for depth in self._depths():
            if depth.waiting > depth.bound:
                over = f"{depth.queue} holds {depth.waiting:.0f}, its bound is {depth.bound}"
                self.story.violated("I6", depth.robot, over)

    def _depths(self) -> Iterator[queues.Depth]:
        if self.hub is not None:
            yield from queues.of_sessions(self.hub.sessions, clock_ns())
            for link in self.hub.live_links():
                yield from queues.of_link(link.robot, link.inner)
            ends = [life.bus for life in self.agents.values()]
            yield from queues.of_bus(self.hub.bus, ends)
        for device in self.devices:
            yield from queues.of_device(device)
        for life in self.agents.values():
            yield from queues.of_inboxes(life.process._runner)

    # the end

    async def _ask_everybody(self) -> None:
        """I8: every robot gets a fresh question answered, once it may be asked."""
        deadline = FAULTS_END_S + HEALTHY_WITHIN_S
        asked: set[str] = set()
        while len(self._answered) < len(self.devices) and self._now() < deadline:
            for device in self.devices:
                if device.name not in asked and self._may_be_asked(device):
                    asked.add(device.name)
                    self._ask(device)
                elif device.name in asked and device.answered("probe"):
                    self._answered[device.name] = self._now()
            await asyncio.sleep(_LOOK_EVERY_S)
            self.check_queues()
        for device in self.devices:
            if device.name not in self._answered:
                why = "got no answer" if device.name in asked else f"is not linked {device.gone}"
                late = f"{device.name} {why} within {HEALTHY_WITHIN_S:.0f} s of the last fault"
                self.story.violated("I8", device.name, late)

    def _may_be_asked(self, device: Device) -> bool:
        hub = self.hub
        return (
            device.linked and hub is not None and not self.facts.is_deaf(device.name, hub.bus.boot)
        )

    def _ask(self, device: Device) -> None:
        text = f"{device.name} probe"
        self.story.note(device.name, "is asked whether it works")
        if device.hears_over_itself:
            device.say(text, 400)
        else:
            device.type(text)

    def _check_end(self) -> None:
        self.facts.check_end()
        hub = self.hub
        assert hub is not None
        hub.monitor.finish()
        for device in self.devices:
            turn = self.facts.open_turn(device.name, hub.bus.boot)
            if turn:
                self.story.violated("I12", device.name, f"turn {turn} never ended")
            link = hub.links.get(device.name)
            if link is None or link.closed or not device.linked:
                continue
            if link.told != device.got:
                lost = f"{link.told} messages were sent to the robot, {device.got} came"
                self.story.violated("I4", device.name, lost)
            if link.came != device.sent:
                lost = f"the robot sent {device.sent} messages, {link.came} came"
                self.story.violated("I4", device.name, lost)
        for life in self.agents.values():
            sent, came = hub.bus.orders[life.bus.name], life.bus.obeyed
            if sent != came:
                lost = f"{life.bus.name} was sent {sent} commands and got {came}"
                self.story.violated("I4", "", lost)

    # processes

    async def start_hub(self) -> None:
        """A run of the hub begins, on the store there is."""
        await self.memory.open()
        hub = HubRun(self.broker, self.disk, self.facts, self.watch, self.attached)
        self.tasks.create_task(hub.run())
        await hub.ready.wait()
        self.hub = hub
        self.story.note("hub", f"boot {hub.bus.boot}")

    def start_agent(self, name: str) -> None:
        """A process of an agent begins."""
        self._generation += 1
        kind, role = _KINDS[name]
        agent = Agent(ScriptedActivity(), self._services(name), capacity=100)
        hello = hello_of(kind, role, agent, self._generation)
        instance = f"{name}-{self._generation}"
        bus = AgentEnd(self.broker, instance, hello, self._chance(instance), self.plan.faults)
        process = AgentProcess(bus, agent, clock=clock_ns)
        task = self.tasks.create_task(self._run_agent(name, process))
        self.agents[name] = AgentLife(bus, process, task)

    async def _run_agent(self, name: str, process: AgentProcess) -> None:
        try:
            await process.run()
        except Exception as error:
            self.story.violated("crash", "", f"{name}: {error!r}")

    def _services(self, name: str) -> tuple[Any, ...]:
        match name:
            case "ears":
                first = clock_ns() // 1_000_000
                return (Ears(ScriptedActivity(), None, rules=RULES, first_number=first),)
            case "stt":
                return (Stt(ScriptedRecogniser()),)
            case "tts":
                return Responses(self._voice()), Jobs(self._voice())
        planner: Planner = ReflexPlanner()
        if name == "planner":
            chance = self._chance(f"planner{self._generation}")
            planner = SeededPlanner(self.words, chance, self._engines_fail, self._asked)
        return Conversation(planner), Plans(planner)

    def _voice(self) -> SeededVoice:
        chance = self._chance(f"voice{self._generation}")
        return SeededVoice(self.words, chance, self._engines_fail)

    def _engines_fail(self) -> bool:
        return Fault.ENGINE in self.plan.faults and self._now() < FAULTS_END_S

    def _asked(self, robot: str, turn: TurnStart) -> None:
        if robot:
            self.watch.remembered(robot, turn.history, 20)

    def _chance(self, of: str) -> random.Random:
        return random.Random(f"{self.plan.seed}:{of}")

    def _crashed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if type(error).__name__ != "Dead":
            self.story.violated("crash", "", f"{context.get('message')}: {error!r}")

    # robots and their wires

    def _new_device(self, person: Person) -> Device:
        chance = self._chance(person.name)
        faults = self.plan.faults
        return self.device_kind(person, self._dial, self.watch, self.story, chance, faults)

    def _dial(self, device: Device) -> Socket | None:
        if self.hub is None or self.hub.bus.dead:
            return None
        low, high = (ms / 1_000 for ms in device.person.wire_ms)
        chance = device.chance
        socket = Socket(
            device.name, lambda: chance.uniform(low, high), device.on_frame, device.on_close
        )
        self.hub.serve(socket)
        return socket

    # people

    def _act(self, deed: Deed) -> None:
        device = self.devices[deed.robot]
        self.story.note(device.name, f"user: {deed.act}")
        text = f"{device.name} number {deed.number}"
        match deed.act:
            case Act.SAY:
                self._speak(device, text, deed.ms)
            case Act.COUGH:
                self._speak(device, "", deed.ms)
            case Act.MHM:
                self._speak(device, "mhm", deed.ms)
            case Act.STOP:
                self._speak(device, "stop", deed.ms)
            case Act.TYPE:
                device.type(text)
            case Act.CANCEL:
                device.cancel()
            case Act.PUSH_TO_TALK:
                device.press(True)
                self._loop.call_later(deed.ms / 1_000 + 0.3, device.press, False)
                device.say(text, deed.ms)
            case Act.ANNOUNCE | Act.ALARM if self.hub is not None:
                urgent = deed.act is Act.ALARM
                priority = Priority.SAFETY if urgent else Priority.PLAN
                words = " ".join(self.words.fresh(device.name, 3 if urgent else 6))
                self.hub.say(device.name, words, priority, interruptible=not urgent)

    def _speak(self, device: Device, text: str, ms: int) -> None:
        if device.by_button:
            device.press(True)
            self._loop.call_later(ms / 1_000 + 0.2, device.press, False)
        device.say(text, ms)
