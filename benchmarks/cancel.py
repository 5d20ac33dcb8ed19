"""P3: from a robot's ``cancel`` to its ``flush``, and what the other robots feel of it.

All robots are being spoken to. In every second stretch of time one of them after the other sends
``cancel`` in mid-speech and is spoken to anew; the rest only listen, and time every frame against
the moment at which the lead demands it. Engines are scripted; each agent is a process, and so is
the client, which plays all robots in real time.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from benchmarks.processes import CpuMeter, Worker, cores_note, process_groups
from benchmarks.report import Row
from benchmarks.robot_client import Fleet, Robot
from benchmarks.stack import SCRIPTED, Stack, stack
from benchmarks.timing import quantile_ms, within
from protocols.messages import robot

P50_GOAL_MS, P99_GOAL_MS = 1.0, 5.0
LATENESS_RATIO = 1.2
ROUNDS = 5
SETTLE_S = 0.5
WARM_UP_S = 2.4
"""In which the robots begin to be spoken to, one after the other."""
CUT_EVERY_NS = 100_000_000
"""So often somebody cancels."""
HEARD_NS = 150_000_000
"""A turn is cut once this much of it was heard."""
SENTENCE = "This sentence is long enough to be a phrase of its own. "
SENTENCES = 6
"""In one turn. Every word is 200 ms of speech: 14 s in all."""


class Load(NamedTuple):
    """So many robots, some of which are cut; lengths of the two stretches of a round."""

    robots: int
    cut: int
    steady_s: float
    cutting_s: float


LOADS = (Load(10, 3, 1.5, 2.0), Load(100, 8, 2.0, 3.0))


class Talker(Robot):
    """Wants to be spoken to all the time."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(url, name)
        self.lateness_ns: list[int] = []
        self.notices_ns: list[int] = []
        self._from_ns = 0
        self._cut_ns = 0

    def ask(self, sentences: int = SENTENCES) -> None:
        """Type something, to hear it repeated."""
        self.send(robot.Text(text=SENTENCE * sentences))

    def cut(self, now_ns: int) -> bool:
        """Cancel what is being said; False if there is too little of it yet."""
        if self._cut_ns or not self._from_ns or now_ns - self._from_ns < HEARD_NS:
            return False
        self._cut_ns, self._from_ns = time.monotonic_ns(), 0
        self.send(robot.Cancel())
        return True

    def on_message(self, message: robot.ToRobot, now_ns: int) -> None:
        match message:
            case robot.Flush() if self._cut_ns:
                self.notices_ns.append(now_ns - self._cut_ns)
                self._cut_ns = 0
            case robot.TurnEnd():
                self._from_ns = 0
                self.ask()

    def on_speech(self, header: robot.SpeechFrame, now_ns: int) -> None:
        if header.first_sample == 0:
            self._from_ns = now_ns
        if (late_ns := self.lateness_ns_of(header, now_ns)) is not None:
            self.lateness_ns.append(late_ns)


class Sample(NamedTuple):
    """What one stretch gave, in ns: lateness of the listeners' frames, and notices. ``cuts`` that
    got no notice and ``stale_frames`` after it are faults; ``late_ns`` is how late the client was
    at worst."""

    lateness_ns: list[int]
    notices_ns: list[int]
    cuts: int
    stale_frames: int
    late_ns: int


class Conversations:
    """All robots of a load, and whose turn it is to cancel."""

    def __init__(self, url: str, load: Load) -> None:
        names = (f"cancel-{load.robots}-{i}" for i in range(load.robots))
        self._robots = [Talker(url, name) for name in names]
        self._cut, self._listeners = self._robots[: load.cut], self._robots[load.cut :]
        self._load, self._fleet = load, Fleet(self._robots)
        self._cuts = 0
        self._next_ns = 0
        self._fleet.run(SETTLE_S)
        for number, one in enumerate(self._robots):
            # Of different lengths, so that later turns begin at different times.
            one.ask(1 + number % SENTENCES)
            self._fleet.run(WARM_UP_S / load.robots)

    def run(self, rounds: int) -> tuple[list[Sample], list[Sample]]:
        """Rounds of a steady stretch and one with cuts; nothing pauses between them."""
        steady: list[Sample] = []
        cutting: list[Sample] = []
        for _ in range(rounds):
            steady.append(self._stretch(self._load.steady_s, lambda now_ns: False))
            cutting.append(self._stretch(self._load.cutting_s, self._cut_one))
        return steady, cutting

    def _stretch(self, seconds: float, step: Callable[[int], bool]) -> Sample:
        for one in self._robots:
            one.lateness_ns, one.notices_ns, one.stale_frames = [], [], 0
        self._cuts = self._fleet.late_ns = 0
        self._fleet.run(seconds, step)
        return Sample(
            [ns for one in self._listeners for ns in one.lateness_ns],
            [ns for one in self._cut for ns in one.notices_ns],
            self._cuts,
            sum(one.stale_frames for one in self._robots),
            self._fleet.late_ns,
        )

    def _cut_one(self, now_ns: int) -> bool:
        if now_ns >= self._next_ns and self._cut[0].cut(now_ns):
            self._cut.append(self._cut.pop(0))
            self._cuts += 1
            self._next_ns = now_ns + CUT_EVERY_NS
        return False


def client(url: str, load: Load) -> Callable[[int], tuple[list[Sample], list[Sample]]]:
    """Connect and begin; return what runs the rounds."""
    return Conversations(url, load).run


class Result(NamedTuple):
    """All rounds of a load, and the cores that each group of processes took."""

    steady: list[Sample]
    cutting: list[Sample]
    cores: dict[str, float]


def run(loads: Iterable[Load] = LOADS, rounds: int = ROUNDS) -> list[Row]:
    """Measure P3."""
    with stack(SCRIPTED) as hub:
        return [row for load in loads for row in _rows(load, _measure(hub, load, rounds))]


def _measure(hub: Stack, load: Load, rounds: int) -> Result:
    with Worker(client, hub.url, load) as worker:
        worker.ask(0)  # connects
        meter = CpuMeter(**process_groups(hub), client=(worker.pid,))
        with meter:
            steady, cutting = worker.ask(rounds)
    return Result(steady, cutting, meter.cores())


def _rows(load: Load, result: Result) -> list[Row]:
    notices = [ns for s in result.cutting for ns in s.notices_ns]
    cuts = sum(s.cuts for s in result.cutting)
    late_ms = max(s.late_ns for s in result.steady + result.cutting) / 1e6
    stale = sum(s.stale_frames for s in result.steady + result.cutting)
    case = f"P3 cancel, {load.robots} robots"

    def notice(quantile: float, goal_ms: float, note: str) -> Row:
        ours, metric = quantile_ms(notices, quantile), f"cancel → flush p{quantile * 100:.0f}"
        return Row(case, metric, ours, None, "ms", f"≤ {goal_ms:g} ms", within(ours, goal_ms), note)

    def lateness(samples: Iterable[Sample], quantile: float) -> float:
        return statistics.median(quantile_ms(s.lateness_ns, quantile) for s in samples)

    with_cuts, without = lateness(result.cutting, 0.99), lateness(result.steady, 0.99)
    return [
        notice(0.5, P50_GOAL_MS, cores_note(result.cores)),
        notice(0.99, P99_GOAL_MS, f"{len(notices)} notices of {cuts} cuts"),
        Row(case, "speech of a cut turn after its flush", stale, 0, "frames", "0", stale == 0, ""),
        Row(
            case=case,
            metric="others' pacing lateness p99",
            ours=with_cuts,
            peer=without,
            unit="ms",
            goal=f"≤ {LATENESS_RATIO:g} × without cuts",
            ok=with_cuts <= LATENESS_RATIO * without,
            note=(
                f"p50 {lateness(result.cutting, 0.5):.1f} ms, {lateness(result.steady, 0.5):.1f}"
                f" without; client late by {late_ms:.1f} ms at most"
            ),
        ),
    ]
