"""What happens in a seed, as data: decided before anything runs, so that a part can be left out."""

import random
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from protocols.messages.session import Attention, EchoCanceller

NAMES = ("alpha", "beta", "gamma")
FAULTS_END_S = 8.0
"""From here on nothing breaks any more, and what broke is mended."""


class Fault(StrEnum):
    """A class of faults. Any of them can be switched off, to see which ones a failure needs."""

    DELAY = "delay"
    """Wires and bus links are slow, each message by another time."""
    MEDIA_LOSS = "media_loss"
    """The media lane of the bus loses messages."""
    DUPLICATE = "duplicate"
    """Facts and acknowledgements come twice."""
    STALL = "stall"
    """A robot's wire carries nothing for a while, in one direction or both."""
    FLOOD = "flood"
    """A robot stops reading and goes on asking."""
    CUT = "cut"
    """A robot's connection breaks; it comes back, with its resume token or without."""
    HALF_OPEN = "half_open"
    """A robot comes back before the hub has noticed that it was gone."""
    AGENT_CRASH = "agent_crash"
    """An agent's process is gone from one moment to the next; a new one follows."""
    AGENT_STALL = "agent_stall"
    """An agent's process does nothing for a while."""
    BUS_CUT = "bus_cut"
    """An agent or an observer loses its link and registers again."""
    HUB_KILL = "hub_kill"
    """The hub's process is gone; another run follows on the same store."""
    HUB_RESTART = "hub_restart"
    """The hub lets turns finish, sends its robots away and is started again."""
    CLOCK = "clock"
    """Robots' clocks are far off, run fast or slow."""
    ENGINE = "engine"
    """Engines are slow, fail, or answer nonsense."""


class Act(StrEnum):
    """What people do. The user's texts begin with the robot's name."""

    SAY = "say"
    COUGH = "cough"
    MHM = "mhm"
    STOP = "stop"
    TYPE = "type"
    CANCEL = "cancel"
    PUSH_TO_TALK = "push_to_talk"
    ANNOUNCE = "announce"
    ALARM = "alarm"
    """An announcement of the highest priority that must not be interrupted."""


class Deed(NamedTuple):
    """Somebody does something to robot number ``robot``; ``ms`` is how long it takes."""

    at_s: float
    robot: int
    act: Act
    ms: int = 0
    number: int = 0


class Break(NamedTuple):
    """Something breaks at ``at_s`` for ``for_s`` seconds. ``target`` is a robot's number or an
    agent's name; ``how`` a number that varies it."""

    at_s: float
    fault: Fault
    target: int | str = 0
    for_s: float = 0.0
    how: int = 0


class Person(NamedTuple):
    """A robot, its wire and its clock."""

    name: str
    aec: EchoCanceller
    attention: Attention
    wire_ms: tuple[float, float]
    """Shortest and longest time on the wire, one way."""
    clock_offset_s: float
    clock_ppm: float
    step_ms: int
    """How often the device looks after its loudspeaker."""


class Plan(NamedTuple):
    """A seed, written out."""

    seed: int
    faults: frozenset[Fault]
    robots: tuple[Person, ...]
    deeds: tuple[Deed, ...]
    breaks: tuple[Break, ...]


AGENTS = ("ears", "stt", "planner", "reflex", "tts")
_ACTS = {
    Act.SAY: 50, Act.COUGH: 5, Act.MHM: 5, Act.STOP: 5, Act.TYPE: 12, Act.CANCEL: 7,
    Act.PUSH_TO_TALK: 4, Act.ANNOUNCE: 9, Act.ALARM: 3,
}  # fmt: skip
_BREAKS = {
    Fault.STALL: 20, Fault.FLOOD: 3, Fault.CUT: 20, Fault.HALF_OPEN: 10, Fault.AGENT_CRASH: 18,
    Fault.AGENT_STALL: 8, Fault.BUS_CUT: 8, Fault.HUB_KILL: 8, Fault.HUB_RESTART: 4,
}  # fmt: skip


def plan(seed: int, without: Iterable[Fault] = ()) -> Plan:
    """The plan of ``seed``, less the faults of the classes ``without``."""
    chance = random.Random(seed)
    everywhere = [f for f in Fault if f not in _BREAKS]
    faults = {f for f in everywhere if chance.random() < 0.5}
    count = chance.choices((1, 2, 3), (7, 3, 1))[0]
    robots = tuple(_person(chance, NAMES[i]) for i in range(count))
    deeds = [deed for i in range(count) for deed in _day(chance, i)]
    breaks = sorted(_breaks(chance, count))
    left_out = frozenset(without)
    faults = (faults | {b.fault for b in breaks}) - left_out
    if Fault.DELAY not in faults:
        robots = tuple(p._replace(wire_ms=(2.0, 2.0)) for p in robots)
    if Fault.CLOCK not in faults:
        robots = tuple(p._replace(clock_offset_s=0.0, clock_ppm=0.0) for p in robots)
    kept = tuple(b for b in breaks if b.fault not in left_out)
    return Plan(seed, frozenset(faults), robots, tuple(sorted(deeds)), kept)


def _person(chance: random.Random, name: str) -> Person:
    fastest = chance.choice((0.5, 3.0, 20.0))
    return Person(
        name,
        aec=chance.choices((EchoCanceller.DEVICE, EchoCanceller.NONE), (4, 1))[0],
        attention=chance.choices((Attention.OPEN, Attention.PUSH_TO_TALK), (9, 1))[0],
        wire_ms=(fastest, fastest * chance.uniform(1, 4)),
        clock_offset_s=chance.uniform(-900.0, 1e6),
        clock_ppm=chance.uniform(-300, 300),
        step_ms=chance.choice((20, 30, 50)),
    )


def _day(chance: random.Random, robot: int) -> Iterable[Deed]:
    at_s = chance.uniform(0.2, 1.0)
    number = 0
    while at_s < FAULTS_END_S:
        number += 1
        act = chance.choices(tuple(_ACTS), tuple(_ACTS.values()))[0]
        short = act in (Act.COUGH, Act.MHM, Act.STOP)
        ms = chance.randrange(260, 400, 20) if short else chance.randrange(300, 1_200, 20)
        yield Deed(round(at_s, 3), robot, act, ms, number)
        at_s += ms / 1_000 + chance.choice((0.1, 0.5, 1.5, 3.0)) * chance.uniform(0.5, 1.5)


def _breaks(chance: random.Random, robots: int) -> Iterable[Break]:
    for fault in chance.choices(tuple(_BREAKS), tuple(_BREAKS.values()), k=chance.randrange(5)):
        at_s = round(chance.uniform(0.5, FAULTS_END_S - 1), 3)
        target: int | str = chance.randrange(robots)
        for_s = min(round(chance.choice((0.1, 0.5, 2.0)) * chance.uniform(0.5, 1.5), 3), 2.5)
        match fault:
            case Fault.AGENT_CRASH | Fault.AGENT_STALL:
                target = chance.choice(AGENTS)
            case Fault.BUS_CUT:
                target = chance.choice((*AGENTS, "watcher"))
            case Fault.FLOOD:
                for_s = round(chance.uniform(1.0, 7.0), 3)
            case Fault.HUB_KILL | Fault.HUB_RESTART:
                target = "hub"
        for_s = min(for_s, FAULTS_END_S - at_s)
        yield Break(at_s, fault, target, round(for_s, 3), chance.randrange(4))
