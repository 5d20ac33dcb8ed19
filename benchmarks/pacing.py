"""P8: what it costs to let speech out just in time, and how well it is done.

*Cost*: a robot's seat, playout and native link under the hub's ticker, for 100 robots that are all
spoken to, beside one bare ticker that slices and writes as many frames and does nothing else. Both
write the same frames to the same kind of socket, in rounds that alternate; CPU is that of this process.

*Lateness*: a fleet that is spoken to most of the time, on a running hub. Every frame is timed at
the robot against the moment at which the lead demands it.
"""

import asyncio
import gc
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

from websockets.protocol import State
from websockets.server import ServerProtocol

from benchmarks.fleets import converse, faults_note, on_a_loop
from benchmarks.report import Row
from benchmarks.stack import SCRIPTED, stack
from benchmarks.timing import within
from hub.counters import Counters
from hub.edge.outbox import Frame
from hub.edge.robot_link import NATIVE, NativeLink
from hub.session.diary import Diary
from hub.session.eyes import Blind, EyeServices
from hub.session.memories import Memories
from hub.session.pacing import Playout
from hub.session.seat import Seat
from hub.session.seat_services import SeatServices
from hub.session.state import State as SeatState
from hub.session.ticker import PERIOD_NS, Ticker
from protocols.codecs.robot import encode_media
from protocols.messages.robot import Hello, SpeechFrame
from robot_sim.load.result import LoadResult
from robot_sim.load.user import Habits

COST_GOAL = 1.2
LATENESS_GOAL_MS = 5.0
ROBOTS = 100
ROUNDS = 5
ROUND_S = 1.5
FLEET = 20
FLEET_S = 10.0
LISTENERS = Habits(talk=0.15, utterance_s=(0.4, 0.8), answer_words=(15, 30), barges=0, cancels=0)

RATE_HZ = 16_000
FRAME_MS = 20
FRAME_BYTES = 2 * RATE_HZ * FRAME_MS // 1000
PIECE = bytes(5 * FRAME_BYTES)
"""What tts sends at a time: 100 ms."""
_PERIOD_S = PERIOD_NS / 1e9
_TICKS_PER_FRAME = FRAME_MS * 1_000_000 // PERIOD_NS
_ACKNOWLEDGE_S = 0.1


class Sink:
    """Where frames go: WebSocket framing as in the hub, then a datagram socket that nobody reads,
    so that a write costs what a write to a socket costs and never blocks. Implements ``Wire``."""

    flowing = True

    def __init__(self) -> None:
        self._unread = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._unread.bind(("127.0.0.1", 0))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(self._unread.getsockname())
        self._framing = ServerProtocol(state=State.OPEN)
        self.frames = 0

    def write(self, frame: Frame) -> None:
        if isinstance(frame, bytes):
            self._framing.send_binary(frame)
            self._socket.send(b"".join(self._framing.data_to_send()))
            self.frames += 1

    def close(self, code: int = 0, reason: str = "") -> None:
        self._socket.close()
        self._unread.close()

    def listen(self, on_frame: Callable[[Frame], None], on_flow: Callable[[bool], None]) -> None:
        """Nothing comes back."""


def run(
    robots: int = ROBOTS,
    rounds: int = ROUNDS,
    round_s: float = ROUND_S,
    fleet: int = FLEET,
    fleet_s: float = FLEET_S,
) -> list[Row]:
    """Measure P8."""
    ours: list[float] = []
    bare: list[float] = []
    for number in range(rounds):
        for side, costs in ((_paced, ours), (_bare, bare))[:: 1 if number % 2 else -1]:
            costs.append(on_a_loop(partial(_cost_us, side, robots, round_s)))
    with stack(SCRIPTED) as hub:
        result = converse(hub, fleet, fleet_s, "pacing", LISTENERS)
    return [_cost_row(ours, bare, robots), *_lateness_rows(result)]


Side = Callable[[list[Sink]], Any]


async def _cost_us(side: Side, robots: int, seconds: float) -> float:
    """CPU for a frame, in microseconds."""
    sinks = [Sink() for _ in range(robots)]
    try:
        with side(sinks):
            await asyncio.sleep(0.1)  # the lead is filled
            gc.collect()
            before_s, before = time.process_time(), sum(sink.frames for sink in sinks)
            await asyncio.sleep(seconds)
            spent_s = time.process_time() - before_s
            return spent_s * 1e6 / (sum(sink.frames for sink in sinks) - before)
    finally:
        for sink in sinks:
            sink.close()


class _NoBus:
    """A bus whose messages cost nothing."""

    def publish(self, envelope: object, blob: bytes = b"") -> None:
        pass

    def send(self, instance: str, envelope: object) -> None:
        pass


@contextmanager
def _paced(sinks: list[Sink]) -> Iterator[None]:
    """Every sink is a robot's wire under the hub's own pacing."""
    loop = asyncio.get_running_loop()
    ticker = Ticker(time.monotonic_ns)
    threads = ThreadPoolExecutor(1)
    services = SeatServices(
        bus=cast(Any, _NoBus()),
        clock=time.monotonic_ns,
        wake=ticker.add,
        remember=lambda *_: None,
        note=lambda _: None,
        settle=lambda *_: None,
        turn_over=lambda: None,
        call_later=loop.call_later,
        counters=Counters(),
        eyes=EyeServices(Blind(), cast(Any, None), time.monotonic_ns, Counters()),
        memories=Memories(None, cast(Any, None), Counters()),
        diary=Diary(None, cast(Any, None), Counters()),
    )
    seats = [
        _seat(f"r{number}", NativeLink(sink, Counters(), "r", Hello(), threads), services)
        for number, sink in enumerate(sinks)
    ]
    alive = True

    def play(received: int) -> None:
        """Tts sends the next 100 ms and the loudspeaker acknowledges: work of others, ten times a
        second."""
        now_ns = time.monotonic_ns()
        for seat in seats:
            playout = cast(Playout, seat.playout)
            playout.push(1, received, 0, PIECE)
            playout.acknowledge(1, playout.played_samples(now_ns), 0, now_ns)
            if now_ns >= playout.quiet_until_ns:
                ticker.add(seat)
        if alive:
            loop.call_later(_ACKNOWLEDGE_S, play, received + len(PIECE) // 2)

    for ahead in range(10):
        for seat in seats:
            cast(Playout, seat.playout).push(1, ahead * len(PIECE) // 2, 0, PIECE)
    play(10 * len(PIECE) // 2)
    try:
        yield
    finally:
        alive = False
        for seat in seats:
            cast(Playout, seat.playout).flush(1)
        threads.shutdown()


def _seat(name: str, link: NativeLink, services: SeatServices) -> Seat:
    seat = Seat(name, SeatState(name), services)
    seat.link, seat.playout = link, Playout(NATIVE, RATE_HZ)
    seat.playout.begin(1)
    seat.playout.open(1)
    return seat


@contextmanager
def _bare(sinks: list[Sink]) -> Iterator[None]:
    """The raw limit: every 5 ms the robots whose turn it is get the next slice, as a frame."""
    loop = asyncio.get_running_loop()
    buckets = [sinks[bucket::_TICKS_PER_FRAME] for bucket in range(_TICKS_PER_FRAME)]
    alive = True
    began_s = loop.time()

    def tick(number: int) -> None:
        at = number % 5 * FRAME_BYTES
        if alive:
            first = number // _TICKS_PER_FRAME * FRAME_BYTES // 2
            for sink in buckets[number % _TICKS_PER_FRAME]:
                header = SpeechFrame(
                    epoch=1, turn=1, first_sample=first, samples=FRAME_BYTES // 2, energy=9
                )
                sink.write(encode_media(header, PIECE[at : at + FRAME_BYTES]))
            loop.call_at(began_s + (number + 1) * _PERIOD_S, tick, number + 1)

    tick(0)
    try:
        yield
    finally:
        alive = False


def _cost_row(ours: list[float], bare: list[float], robots: int) -> Row:
    cost, limit = statistics.median(ours), statistics.median(bare)
    return Row(
        case=f"P8 pacing, {robots} robots",
        metric="CPU of a frame, beside a bare ticker",
        ours=cost,
        peer=limit,
        unit="µs",
        goal=f"≤ {COST_GOAL:g} ×",
        ok=cost <= COST_GOAL * limit,
        note=f"from {min(ours):.1f} to {max(ours):.1f}, bare {min(bare):.1f} to {max(bare):.1f}",
    )


def _lateness_rows(result: LoadResult) -> list[Row]:
    case = f"P8 pacing, {result.robots} robots"
    lateness = result.spreads()["pacing_lateness"]
    ahead = result.tally.counts["breach.ahead"]
    return [
        Row(
            case=case,
            metric="lateness p99",
            ours=lateness.p99,
            peer=None,
            unit="ms",
            goal=f"≤ {LATENESS_GOAL_MS:g} ms",
            ok=within(lateness.p99, LATENESS_GOAL_MS),
            note=(
                f"p50 {lateness.p50:.1f}, max {lateness.max:.1f} ms of {lateness.samples} frames;"
                f" client late by {result.late_ms:.1f} ms at most"
            ),
        ),
        Row(
            case=case,
            metric="frames further ahead than the lead",
            ours=ahead,
            peer=None,
            unit="frames",
            goal="0",
            ok=ahead == 0,
            note=faults_note(result),
        ),
    ]
