"""P1: a typed message from the hub to a handler in another process, against raw pyzmq.

Both sides publish the same 640 B blob from one process, whose thread forwards XSUB (reached by
inproc) to XPUB (reached by ipc), to a subscriber in another one. The raw side uses ``send_multipart`` and a blocking ``recv_multipart``
with a msgpack dict as header; ours ``publish`` and ``subscribe`` of the bus on uvloop. CPU is user
and system time of both processes. Rounds alternate, each figure is the median of its rounds.
"""

import asyncio
import gc
import multiprocessing
import random
import resource
import statistics
import tempfile
import threading
import time
from array import array
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import msgpack
import uvloop
import zmq

from agents.runtime.bus.zmq import ZmqAgentBus
from benchmarks.report import Row
from hub.broker.zmq import ZmqHubBus
from protocols.envelope import AnyEnvelope, Envelope
from protocols.messages.agent import AgentHello, AgentKind
from protocols.messages.audio import MicChunk

BLOB = bytes(640)
ROBOTS = tuple(f"robot{i:03d}" for i in range(100))
RATE_HZ = 50
TICK_S = 0.005
"""The publisher is paced as the hub is: one ticker for all robots."""
WINDOW = 2000
"""At saturation the publisher waits for the subscriber after so many, so that nothing is lost."""
SATURATION_MESSAGES = 20 * WINDOW
HIGH_WATER = 4 * WINDOW
BEGIN, END = -1, -2

Send = Callable[[str, int], None]


class Sample(NamedTuple):
    """One round of one side: seconds of CPU, messages, latencies in µs."""

    cpu_s: float
    messages: int
    p50_us: float
    p99_us: float


class _Wires(NamedTuple):
    """Pipes of a process that publishes or subscribes."""

    control: Connection
    window: Connection
    directory: str


class _Tally:
    """The subscriber's handler: counts, and reports at the end mark."""

    def __init__(self, wires: _Wires) -> None:
        self._wires = wires
        self._latencies = array("q")
        self._cpu = 0.0
        self.ready = False

    def note(self, sample: int, t_src_ns: int) -> None:
        if sample >= 0:
            self._latencies.append(time.monotonic_ns() - t_src_ns)
            if len(self._latencies) % WINDOW == 0:
                self._wires.window.send_bytes(b"w")
        elif sample == BEGIN:
            del self._latencies[:]
            self._cpu = _cpu()
            if not self.ready:
                self.ready = True
                self._wires.window.send_bytes(b"r")
        else:
            spent = _cpu() - self._cpu
            ordered = sorted(self._latencies)
            self._wires.control.send((spent, len(ordered), _quantiles_us(ordered)))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _quantiles_us(ordered: list[int]) -> tuple[float, float]:
    if not ordered:
        return 0.0, 0.0
    last = len(ordered) - 1
    return ordered[last // 2] / 1000, ordered[round(last * 0.99)] / 1000


def _saturate(wires: _Wires, send: Send) -> None:
    for number in range(SATURATION_MESSAGES):
        send(ROBOTS[number % len(ROBOTS)], number)
        if number % WINDOW == WINDOW - 1:
            wires.window.recv_bytes()


def _buckets() -> list[tuple[str, ...]]:
    """Which robots speak in which tick of 20 ms."""
    count = round(1 / RATE_HZ / TICK_S)
    return [ROBOTS[i::count] for i in range(count)]


def _swallow_windows(wires: _Wires) -> None:
    while wires.window.poll():
        wires.window.recv_bytes()


# raw pyzmq


def _raw_publisher(wires: _Wires) -> None:
    context = zmq.Context()
    front, back = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
    front.set_hwm(HIGH_WATER)
    front.bind("inproc://in")
    back.set_hwm(HIGH_WATER)
    back.bind(f"ipc://{wires.directory}/out")
    threading.Thread(target=zmq.proxy, args=(front, back), daemon=True).start()
    pub = context.socket(zmq.PUB)
    pub.set_hwm(HIGH_WATER)
    pub.connect("inproc://in")
    count = 0

    def send(robot: str, sample: int) -> None:
        nonlocal count
        count += 1
        header = {
            "type": "mic.chunk",
            "v": 1,
            "id": count,
            "robot": robot,
            "src": "hub",
            "seq": count,
            "t_src_ns": time.monotonic_ns(),
            "first_sample": sample,
        }
        topic = f"mic.chunk/{robot}/".encode()
        pub.send_multipart((topic, msgpack.packb(header), BLOB))

    _raw_meet(wires, send)
    gc.collect()
    gc.freeze()
    while (job := wires.control.recv()) is not None:
        began = _cpu()
        send(ROBOTS[0], BEGIN)
        if job == 0:
            _saturate(wires, send)
        else:
            _raw_pace(job, send)
        send(ROBOTS[0], END)
        wires.control.send(_cpu() - began)
        _swallow_windows(wires)
    context.destroy(0)


def _raw_meet(wires: _Wires, send: Send) -> None:
    while not wires.window.poll(0.02):
        send(ROBOTS[0], BEGIN)
    wires.window.recv_bytes()


def _raw_pace(seconds: float, send: Send) -> None:
    buckets, due = _buckets(), time.monotonic()
    for tick in range(round(seconds / TICK_S)):
        time.sleep(max(0.0, due - time.monotonic()))
        for robot in buckets[tick % len(buckets)]:
            send(robot, tick)
        due += TICK_S


def _raw_subscriber(wires: _Wires) -> None:
    context = zmq.Context()
    sub = context.socket(zmq.SUB)
    sub.set_hwm(HIGH_WATER)
    sub.connect(f"ipc://{wires.directory}/out")
    sub.subscribe(b"mic.chunk/")
    tally = _Tally(wires)
    gc.collect()
    gc.freeze()
    while True:
        _, header, _ = sub.recv_multipart()
        fields = msgpack.unpackb(header)
        tally.note(fields["first_sample"], fields["t_src_ns"])


# ours


def _our_publisher(wires: _Wires) -> None:
    uvloop.run(_publish(wires))


async def _publish(wires: _Wires) -> None:
    loop = asyncio.get_running_loop()
    hub = ZmqHubBus(Path(wires.directory), 1, clock=time.monotonic_ns, media_high_water=HIGH_WATER)
    joined = asyncio.Event()
    hub.on_peers(lambda name, hello: joined.set(), lambda name, reason: None)

    def send(robot: str, sample: int) -> None:
        chunk = MicChunk(first_sample=sample)
        hub.publish(Envelope(robot=robot, t_src_ns=time.monotonic_ns(), body=chunk), BLOB)

    async with hub:
        await joined.wait()
        send(ROBOTS[0], BEGIN)
        await asyncio.to_thread(wires.window.recv_bytes)
        gc.collect()
        gc.freeze()
        while (job := await asyncio.to_thread(wires.control.recv)) is not None:
            began = _cpu()
            send(ROBOTS[0], BEGIN)
            if job == 0:
                _saturate(wires, send)
            else:
                await _pace(loop, job, send)
            send(ROBOTS[0], END)
            wires.control.send(_cpu() - began)
            _swallow_windows(wires)


async def _pace(loop: asyncio.AbstractEventLoop, seconds: float, send: Send) -> None:
    buckets, began = _buckets(), loop.time()
    done = loop.create_future()
    ticks = round(seconds / TICK_S)

    def tick(number: int) -> None:
        for robot in buckets[number % len(buckets)]:
            send(robot, number)
        if number + 1 < ticks:
            loop.call_at(began + (number + 1) * TICK_S, tick, number + 1)
        else:
            done.set_result(None)

    tick(0)
    await done


def _our_subscriber(wires: _Wires) -> None:
    uvloop.run(_subscribe(wires))


async def _subscribe(wires: _Wires) -> None:
    tally = _Tally(wires)
    bus = ZmqAgentBus(
        Path(wires.directory),
        "ears-primary-1",
        AgentHello(kind=AgentKind.EARS),
        media_high_water=HIGH_WATER,
        rng=random.Random(1),
    )

    def handle(envelope: AnyEnvelope, blob: bytes) -> None:
        body: Any = envelope.body
        tally.note(body.first_sample, envelope.t_src_ns)

    bus.subscribe(MicChunk, handle)
    async with bus:
        gc.collect()
        gc.freeze()
        await asyncio.get_running_loop().create_future()


class _Side:
    """A publisher and a subscriber, each a process."""

    def __init__(
        self,
        publisher: Callable[[_Wires], None],
        subscriber: Callable[[_Wires], None],
        directory: Path,
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        directory.mkdir(mode=0o700)
        self._publisher, for_publisher = spawn.Pipe()
        self._subscriber, for_subscriber = spawn.Pipe()
        window_in, window_out = spawn.Pipe()
        self._processes = [
            spawn.Process(target=target, args=(_Wires(pipe, window, str(directory)),), daemon=True)
            for target, pipe, window in (
                (publisher, for_publisher, window_in),
                (subscriber, for_subscriber, window_out),
            )
        ]
        for process in self._processes:
            process.start()

    def measure(self, seconds: float) -> Sample:
        """Run paced for ``seconds``, or at saturation if that is 0."""
        self._publisher.send(seconds)
        cpu, messages, (p50, p99) = self._subscriber.recv()
        cpu += self._publisher.recv()
        return Sample(cpu, messages, p50, p99)

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
            process.join()


def run(rounds: int = 5, seconds: float = 2.0) -> list[Row]:
    """Measure P1; ``seconds`` is the length of a paced round."""
    with tempfile.TemporaryDirectory() as folder:
        ours = _Side(_our_publisher, _our_subscriber, Path(folder) / "ours")
        raw = _Side(_raw_publisher, _raw_subscriber, Path(folder) / "raw")
        try:
            samples: dict[tuple[str, float], list[Sample]] = {}
            sides = (("ours", ours), ("raw", raw))
            for length in (0.0, 0.2):
                ours.measure(length), raw.measure(length)
            for number in range(rounds):
                for length in (0.0, seconds):
                    for name, side in sides if number % 2 else sides[::-1]:
                        samples.setdefault((name, length), []).append(side.measure(length))
        finally:
            ours.close()
            raw.close()
    return _rows(samples, seconds)


def _rows(samples: dict[tuple[str, float], list[Sample]], seconds: float) -> list[Row]:
    def median(side: str, length: float, of: Callable[[Sample], float]) -> float:
        return statistics.median(of(s) for s in samples[side, length])

    def row(metric: str, length: float, of: Callable[[Sample], float], limit: float) -> Row:
        case = "P1 bus, saturated" if length == 0 else "P1 bus, 100 robots × 50/s"
        ours, peer = median("ours", length, of), median("raw", length, of)
        lost = sum(_expected(length) - s.messages for s in samples["ours", length])
        note = f"{lost} messages lost" if lost else ""
        return Row(case, metric, ours, peer, "µs", f"≤ {limit} × raw", ours <= limit * peer, note)

    def cpu(s: Sample) -> float:
        return s.cpu_s / max(1, s.messages) * 1e6

    return [
        row("CPU per message", 0.0, cpu, 1.3),
        row("CPU per message", seconds, cpu, 1.3),
        row("latency p50", seconds, lambda s: s.p50_us, 1.5),
        row("latency p99", seconds, lambda s: s.p99_us, 2.0),
    ]


def _expected(length: float) -> int:
    if length == 0:
        return SATURATION_MESSAGES
    return round(length / TICK_S) * len(ROBOTS) // round(1 / RATE_HZ / TICK_S)
