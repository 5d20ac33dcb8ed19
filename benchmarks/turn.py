"""P2: from the end of the user's speech to the first byte of the robot's answer.

The clock starts when the chunk with the stop mark is handed to the client's socket, and stops
when the first speech frame of the answer arrives at it. Engines are scripted and answer at once;
each agent is a process, and so is the client, which plays all robots in real time. Rounds
alternate with the same number of microphones against a bare WebSocket echo.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import NamedTuple

from benchmarks.processes import CpuMeter, Worker, cores_note, process_groups
from benchmarks.raw_echo import Echo, echo_server
from benchmarks.report import Row
from benchmarks.robot_client import CHUNK_SAMPLES, SILENCE, Fleet, Robot
from benchmarks.stack import SCRIPTED, Stack, stack
from benchmarks.timing import quantile_ms, within
from protocols.marks import MarkKind, marked_chunk
from protocols.messages import robot

START = marked_chunk(MarkKind.START, CHUNK_SAMPLES, "Hello")
STOP = marked_chunk(MarkKind.STOP, CHUNK_SAMPLES)
UTTERANCE = (START, SILENCE, STOP)

P50_GOAL_MS, P99_GOAL_MS = 2.0, 6.0
ROUNDS = 5
ECHO_S = 0.4
SETTLE_S = 0.5
"""Silence after connecting: ears and stt subscribe to a robot once they are assigned to it."""
ANSWER_TIMEOUT_S = 1.0
"""How long after the end of a round its last answers may come."""
P99_TURNS = 200
"""With fewer turns than this the worst percent is one or two of them, and gets no verdict."""


class Load(NamedTuple):
    """So many robots, each of which speaks once in ``cycle_s``, in rounds of ``round_s``."""

    robots: int
    cycle_s: float
    round_s: float


LOADS = (Load(1, 0.32, 2.0), Load(10, 0.48, 2.0), Load(100, 4.0, 3.0))


class Asker(Robot):
    """Says a word in every cycle, and times the answer."""

    utterance = UTTERANCE

    def __init__(self, url: str, name: str, cycle_ns: int) -> None:
        super().__init__(url, name)
        self.latencies_ns: list[int] = []
        self.asked = 0
        self.answered = True
        self._cycle_ns = cycle_ns
        self._next_ns = 0
        self._stopped_ns = 0
        self._saying: deque[bytes] = deque()

    def ask_from(self, first_ns: int) -> None:
        """Begin at ``first_ns``."""
        self._next_ns = first_ns

    def ask_no_more(self) -> None:
        """Finish the word that is being said, and stay silent."""
        self._next_ns = 0

    def next_chunk(self, now_ns: int) -> bytes:
        if self.answered and 0 < self._next_ns <= now_ns:
            self._next_ns = max(self._next_ns + self._cycle_ns, now_ns)
            self._saying.extend(self.utterance)
            self.asked += 1
            self.answered = False
        if not self._saying:
            return SILENCE
        chunk = self._saying.popleft()
        if not self._saying:
            self._stopped_ns = time.monotonic_ns()
        return chunk

    def on_speech(self, header: robot.SpeechFrame, now_ns: int) -> None:
        if self._stopped_ns:
            self.latencies_ns.append(now_ns - self._stopped_ns)
            self._stopped_ns = 0

    def on_message(self, message: robot.ToRobot, now_ns: int) -> None:
        if isinstance(message, robot.TurnEnd):
            self.answered = True


class Sample(NamedTuple):
    """What a round gave: latencies, turns without an answer, and how late the client was at
    worst. Times in ns."""

    latencies_ns: list[int]
    unanswered: int
    late_ns: int


def client(hub_url: str, echo_url: str, load: Load) -> Callable[[str], Sample]:
    """Connect; return what runs a round against ``hub`` or ``echo``."""
    cycle_ns = int(load.cycle_s * 1e9)
    robots = [Asker(hub_url, f"turn-{load.robots}-{i}", cycle_ns) for i in range(load.robots)]
    echoes = [Echo(echo_url) for _ in range(load.robots)]
    fleets = Fleet(robots), Fleet(echoes)
    fleets[0].run(SETTLE_S)

    def run(side: str) -> Sample:
        if side == "hub":
            return _ask(fleets[0], robots, load)
        fleets[1].run(ECHO_S)
        return Sample(_taken(echoes), 0, fleets[1].late_ns)

    return run


def _ask(fleet: Fleet, robots: list[Asker], load: Load) -> Sample:
    now_ns = time.monotonic_ns()
    for i, one in enumerate(robots):
        one.ask_from(now_ns + int(load.cycle_s * 1e9) * i // len(robots))
    fleet.late_ns = 0
    fleet.run(load.round_s)
    for one in robots:
        one.ask_no_more()
    fleet.run(ANSWER_TIMEOUT_S, lambda _: all(one.answered for one in robots))
    asked = sum(one.asked for one in robots)
    for one in robots:
        one.asked, one.answered = 0, True
    latencies = _taken(robots)
    return Sample(latencies, asked - len(latencies), fleet.late_ns)


def _taken(clients: Iterable[Asker | Echo]) -> list[int]:
    taken: list[int] = []
    for one in clients:
        taken += one.latencies_ns
        one.latencies_ns = []
    return taken


class Result(NamedTuple):
    """All rounds of a load: latencies in ns, and the cores that each group of processes took."""

    ours_ns: list[int]
    echo_ns: list[int]
    unanswered: int
    late_ns: int
    cores: dict[str, float]


def run(loads: Iterable[Load] = LOADS, rounds: int = ROUNDS) -> list[Row]:
    """Measure P2."""
    with stack(SCRIPTED) as hub, echo_server() as echo_url:
        return [row for load in loads for row in _rows(load, _measure(hub, echo_url, load, rounds))]


def _measure(hub: Stack, echo_url: str, load: Load, rounds: int) -> Result:
    samples: dict[str, list[Sample]] = {"hub": [], "echo": []}
    with Worker(client, hub.url, echo_url, load) as worker:
        meter = CpuMeter(**process_groups(hub), client=(worker.pid,))
        for number in range(rounds):
            for side in ("hub", "echo") if number % 2 else ("echo", "hub"):
                with meter if side == "hub" else nullcontext():
                    samples[side].append(worker.ask(side))
    ours, echo = ([ns for s in samples[side] for ns in s.latencies_ns] for side in ("hub", "echo"))
    return Result(
        ours,
        echo,
        sum(s.unanswered for s in samples["hub"]),
        max(s.late_ns for s in samples["hub"]),
        meter.cores(),
    )


def _rows(load: Load, result: Result) -> list[Row]:
    def row(quantile: float, goal_ms: float, judged: bool, note: str) -> Row:
        ours = quantile_ms(result.ours_ns, quantile)
        return Row(
            case=f"P2 turn, {load.robots} robots",
            metric=f"end of speech → first audio p{quantile * 100:.0f}",
            ours=ours,
            peer=quantile_ms(result.echo_ns, quantile),
            unit="ms",
            goal=f"≤ {goal_ms:g} ms",
            ok=False if result.unanswered else within(ours, goal_ms) if judged else None,
            note=note,
        )

    turns = len(result.ours_ns)
    count = f"{turns} turns, client late by {result.late_ns / 1e6:.1f} ms at most"
    if result.unanswered:
        count += f", {result.unanswered} more without an answer"
    return [
        row(0.5, P50_GOAL_MS, True, cores_note(result.cores)),
        row(0.99, P99_GOAL_MS, turns >= P99_TURNS, count),
    ]
