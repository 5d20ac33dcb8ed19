"""Every accepted fact in the hub's order, and an observer who must come to know the same (I3)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple

from protocols.bus import AgentBus
from protocols.envelope import AnyEnvelope
from protocols.messages.turn import Priority, TurnStarted
from protocols.qos import Lane
from protocols.topics import CATALOG, topic_name
from tests.simulation.checks import Watch
from tests.simulation.story import Story


class Stamp(NamedTuple):
    """A turn, and the run of the hub that told of it."""

    boot: int
    turn: int


_NEVER = Stamp(0, 0)


class Facts:
    """Every accepted fact in the hub's order, and an observer who must come to know the same.

    The observer takes what the bus brings, and after every loss of its link what it has missed.
    """

    def __init__(self, story: Story, watch: Watch) -> None:
        self._story = story
        self._watch = watch
        self._orders: dict[tuple[int, str], list[int]] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._started: dict[str, Stamp] = {}
        self._ended: dict[str, Stamp] = {}
        self._priority: dict[str, Priority] = {}

    def requested(self, text: str, robot: str, turn: int) -> None:
        """The hub wants ``text`` to be spoken."""
        self._watch.words.spoken_in(text, robot, turn)

    def accepted(self, envelope: AnyEnvelope) -> None:
        """The hub has accepted a fact and shows it."""
        name = topic_name(type(envelope.body))
        if envelope.order:
            ids = self._orders.setdefault((envelope.boot, envelope.robot), [])
            ids.append(envelope.id)
            if envelope.order != len(ids):
                gap = f"{name} has number {envelope.order} where {len(ids)} was due"
                self._story.violated("I3", envelope.robot, gap)
            self._story.note(envelope.robot or "hub", f"fact {name} turn={envelope.turn}")
        self._check_turn(name, envelope)

    def _check_turn(self, name: str, envelope: AnyEnvelope) -> None:
        """A turn begins once, with a number that is new, and ends once (I12). A hub that is killed
        before it has committed an end leaves it to the next one to end that turn."""
        robot, now = envelope.robot, Stamp(envelope.boot, envelope.turn)
        last, ended = self._started.get(robot, _NEVER), self._ended.get(robot, _NEVER)
        if name == "turn.started":
            if now.turn <= last.turn:
                self._story.violated("I12", robot, f"turn {now.turn} began after turn {last.turn}")
            if ended.turn < last.turn and last.boot == now.boot:
                early = f"turn {now.turn} began before turn {last.turn} had ended"
                self._story.violated("I12", robot, early)
            self._started[robot] = now
            assert isinstance(envelope.body, TurnStarted)
            self._priority[robot] = envelope.body.priority
        elif name == "turn.ended":
            committed = now.turn in self._watch.committed[robot] and ended.boot < now.boot
            if now.turn <= ended.turn and (ended.boot == now.boot or committed):
                self._story.violated("I12", robot, f"turn {now.turn} ended twice")
            self._ended[robot] = now

    def open_turn(self, robot: str, boot: int) -> int:
        """The turn that this run of the hub has begun and not ended; 0 if there is none."""
        last, ended = self._started.get(robot, _NEVER), self._ended.get(robot, _NEVER)
        return last.turn if last.boot == boot and ended.turn < last.turn else 0

    def is_deaf(self, robot: str, boot: int) -> bool:
        """Whether the robot says something that its user may not interrupt."""
        return bool(self.open_turn(robot, boot)) and self._priority[robot] is Priority.SAFETY

    # the observer

    def watch(self, observer: AgentBus, tasks: asyncio.TaskGroup) -> None:
        """Let ``observer`` see everything; open it afterwards."""
        for line in CATALOG.values():
            if line.lane is Lane.CONTROL and not line.command:
                observer.subscribe(line.message, self._on_fact)
        observer.on_link(lambda: _spawn(tasks, self._catch_up(observer)), lambda _: None)

    def _on_fact(self, envelope: AnyEnvelope, _: bytes) -> None:
        if not envelope.order:
            return
        boot, order = self._seen.get(envelope.robot, (envelope.boot, 0))
        if (envelope.boot, envelope.order) <= (boot, order):
            return
        if envelope.boot == boot and envelope.order != order + 1:
            gap = f"the observer got number {envelope.order} after {order}"
            self._story.violated("I3", envelope.robot, gap)
        self._seen[envelope.robot] = (envelope.boot, envelope.order)
        if self._orders[envelope.boot, envelope.robot][envelope.order - 1] != envelope.id:
            other = f"number {envelope.order} is another fact for the observer"
            self._story.violated("I3", envelope.robot, other)

    async def _catch_up(self, observer: AgentBus) -> None:
        for robot, (boot, order) in list(self._seen.items()):
            missed = await observer.replay(robot, boot, order)
            if missed is None:
                snapshot = await observer.snapshot(robot)
                self._seen[robot] = (snapshot.boot, snapshot.order)
            else:
                for envelope in missed:
                    self._on_fact(envelope, b"")

    def check_end(self) -> None:
        """The observer knows all that was accepted."""
        for robot, (boot, order) in self._seen.items():
            last = len(self._orders.get((boot, robot), ()))
            if order != last:
                self._story.violated("I3", robot, f"the observer is at {order}, the hub at {last}")


def _spawn(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    tasks.create_task(work)
