"""What robots and the hub feel of an open dashboard.

Twenty robots converse all the time. In stretches that take turns a client is connected and idle (the
control), a dashboard is open on its two busiest pages, or the same pages are open and read nothing,
as slow and frozen tabs do. What a page asks for is asked for here: a browser itself would take the
cores that are measured. Engines are scripted; robots and tabs are processes of their own.
"""

import http.client
import json
import os
import select
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.processes import CpuMeter, Worker, cores_note, process_groups
from benchmarks.report import Row
from benchmarks.robot_client import CHUNK_SAMPLES, SILENCE, Fleet, Robot
from benchmarks.stack import SCRIPTED, Stack, stack
from benchmarks.timing import quantile_ms
from benchmarks.turn import P99_TURNS, Asker
from benchmarks.websocket import WebSocket
from protocols.marks import MarkKind, marked_chunk

CPU_RATIO, P99_SHIFT_MS = 1.1, 5.0
ROBOTS, CYCLE_S = 20, 0.6
"""The answer takes two thirds of a cycle."""
ROUNDS, STRETCH_S = 6, 3.5
SETTLE_S = 0.5
"""Before a stretch is measured: tabs open, and robots speak."""
OVERLAP_S = 0.2
"""So much longer than a stretch everything stays open."""
POLL_S = 2.0
POLLED = ("/status", "/jobs", "/queue-status", "/pairing/waiting")
"""What the System page asks for (hub/dashboard/src/pages/system.tsx)."""
NICENESS = 10

IDLE, OPEN, UNREAD = "idle", "open", "unread"
KINDS = (IDLE, OPEN, UNREAD)
_START = marked_chunk(MarkKind.START, CHUNK_SAMPLES, "Hello robot")
_STOP = marked_chunk(MarkKind.STOP, CHUNK_SAMPLES)


class Talker(Asker):
    """Says two words in every cycle, and hears them again."""

    utterance = (_START, SILENCE, _STOP)


def talkers(url: str) -> Callable[[float], list[list[int]]]:
    """Connect; return what lets robots talk for a stretch, and gives each one's latencies in ns.
    Nothing pauses between stretches."""
    cycle_ns = int(CYCLE_S * 1e9)
    robots = [Talker(url, robot_name(number), cycle_ns) for number in range(ROBOTS)]
    fleet = Fleet(robots)
    fleet.run(SETTLE_S)
    now_ns = time.monotonic_ns()
    for number, one in enumerate(robots):
        one.ask_from(now_ns + cycle_ns * number // len(robots))

    def run(seconds: float) -> list[list[int]]:
        for one in robots:
            one.latencies_ns = []
        fleet.run(seconds)
        return [one.latencies_ns for one in robots]

    return run


def robot_name(number: int) -> str:
    return f"dashboard-{number}"


class Seen(NamedTuple):
    """What tabs were told: messages, their bytes, and happenings that were dropped for them."""

    messages: int
    size: int
    dropped: int


class Tabs:
    """The client's side of a dashboard: the System page, whose connection hears of all robots, and
    the page of one robot."""

    def __init__(self, url: str) -> None:
        self._url = url
        os.nice(NICENESS)

    def run(self, job: tuple[str, float]) -> Seen:
        """Be a client of a kind for so many seconds."""
        kind, seconds = job
        ends_s = time.monotonic() + seconds
        if kind == IDLE:
            sockets = [Robot(self._url, "bystander").socket]
        else:
            sockets = [WebSocket(self._url, f"/observe{of}") for of in ("", "?robot=dashboard-0")]
        try:
            if kind == UNREAD:
                time.sleep(seconds)
                return Seen(0, 0, 0)
            return self._read(sockets, ends_s, POLLED if kind == OPEN else ())
        finally:
            for one in sockets:
                one.close()

    def _read(self, sockets: list[WebSocket], ends_s: float, polled: Sequence[str]) -> Seen:
        address = urlsplit(self._url)
        assert address.hostname is not None
        asked = http.client.HTTPConnection(address.hostname, address.port)
        if polled:
            _get(asked, f"/observe/{robot_name(0)}/camera")
        messages = size = 0
        dropped = [0] * len(sockets)
        poll_s = time.monotonic()
        while (now_s := time.monotonic()) < ends_s:
            if now_s >= poll_s:
                poll_s += POLL_S
                for path in polled:
                    _get(asked, path)
            ready, _, _ = select.select(sockets, [], [], max(0.0, min(ends_s, poll_s) - now_s))
            for one in ready:
                for text in one.receive():
                    messages, size = messages + 1, size + len(text)
                    dropped[sockets.index(one)] = json.loads(text).get("dropped", 0)
        asked.close()
        return Seen(messages, size, sum(dropped))


def _get(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise RuntimeError(f"{path} was answered by {answer.status}")


def tabs(url: str) -> Callable[[tuple[str, float]], Seen]:
    """What is a client of a kind."""
    return Tabs(url).run


class Result:
    """All stretches of a kind: each robot's latencies in ns by stretch, what tabs saw, and the
    meter of the cores that were taken."""

    def __init__(self, meter: CpuMeter) -> None:
        self.meter = meter
        self.stretches: list[list[list[int]]] = []
        self.seen: list[Seen] = []

    def latencies_ns(self, begin: int = 0, step: int = 1) -> list[list[int]]:
        """By robot, of every ``step``-th stretch."""
        chosen = self.stretches[begin::step]
        return [[ns for s in chosen for ns in s[robot]] for robot in range(ROBOTS)]


def run(rounds: int = ROUNDS) -> list[Row]:
    """Measure it."""
    with stack(SCRIPTED) as hub:
        results = _measure(hub, rounds)
    idle = results.pop(IDLE)
    return [row for kind, result in results.items() for row in _rows(kind, result, idle)]


def _measure(hub: Stack, rounds: int) -> dict[str, Result]:
    with Worker(talkers, hub.url) as fleet, Worker(tabs, hub.url) as client:
        groups = {**process_groups(hub), "robots": [fleet.pid], "tabs": [client.pid]}
        results = {kind: Result(CpuMeter(**groups)) for kind in KINDS}
        for number in range(rounds):
            first = number % len(KINDS)
            for kind in KINDS[first:] + KINDS[:first]:
                result = results[kind]
                with client.asking((kind, SETTLE_S + STRETCH_S + OVERLAP_S)) as seen:
                    fleet.ask(SETTLE_S)
                    with result.meter:
                        result.stretches.append(fleet.ask(STRETCH_S))
                result.seen.append(seen())
    return results


def _rows(kind: str, result: Result, idle: Result) -> list[Row]:
    case = f"{ROBOTS} robots, {'a dashboard' if kind == OPEN else 'tabs that read nothing'}"
    cpu, control = (one.meter.cores()["hub"] for one in (result, idle))
    ours, alone = (quantile_ms(_all(one), 0.99) for one in (result, idle))
    shift, noise = worst_shift_ms(result, idle), worst_shift_of_control_ms(idle)
    told = sum(one.messages for one in result.seen)
    size = sum(one.size for one in result.seen)
    turns = len(_all(result))
    silent = sum(not each for stretch in result.stretches for each in stretch)
    return [
        Row(
            case, "hub's CPU", cpu, control, "cores", f"≤ {CPU_RATIO:g} × with an idle client",
            cpu <= CPU_RATIO * control,
            f"{told} messages of {size / max(1, told) / 1e3:.1f} kB, "
            f"{sum(one.dropped for one in result.seen)} happenings dropped; "
            + cores_note(result.meter.cores()),
        ),
        Row(
            case, "end of speech → first audio p99", ours, alone, "ms",
            f"≤ idle + {P99_SHIFT_MS:g} ms",
            None if turns < P99_TURNS else not silent and ours <= alone + P99_SHIFT_MS,
            f"{turns} turns, p50 {quantile_ms(_all(result), 0.5):.1f} beside "
            f"{quantile_ms(_all(idle), 0.5):.1f} ms"
            + (f"; {silent} times a robot had no answer in a stretch" if silent else ""),
        ),
        Row(
            case, "the same, robot that it moves most", shift, noise, "ms",
            f"≤ {P99_SHIFT_MS:g} ms", moved(shift, noise),
            f"{turns // ROBOTS} turns a robot; the peer is the idle client against itself",
        ),
    ]  # fmt: skip


def _all(result: Result) -> list[int]:
    return [ns for robot in result.latencies_ns() for ns in robot]


def worst_shift_ms(result: Result, idle: Result) -> float:
    """By how much the p99 of the robot rose whose p99 rose most."""
    return _worst(result.latencies_ns(), idle.latencies_ns())


def worst_shift_of_control_ms(idle: Result) -> float:
    """The same between every second stretch of the control and the others: what chance does."""
    return abs(_worst(idle.latencies_ns(0, 2), idle.latencies_ns(1, 2)))


def _worst(ours: list[list[int]], control: list[list[int]]) -> float:
    pairs = zip(ours, control, strict=True)
    return max(quantile_ms(a, 0.99) - quantile_ms(b, 0.99) for a, b in pairs)


def moved(shift_ms: float, noise_ms: float) -> bool | None:
    """Whether no robot was moved by more than it may; None where chance alone does as much."""
    if noise_ms > P99_SHIFT_MS:
        return None if shift_ms <= P99_SHIFT_MS + noise_ms else False
    return shift_ms <= P99_SHIFT_MS
