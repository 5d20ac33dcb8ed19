"""P12: what a robot feels of everything else that the hub is asked for.

*Queues*: robots ask and are answered while programs keep the queues of texts and pictures full.
*Uploads*: robots are spoken to while twenty files of 25 MiB come in at once. Stretches with and
without the others alternate; robots and programs are clients in processes of their own, and
engines are scripted.
"""

import asyncio
import io
import time
import wave
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

import httpx

from benchmarks.cancel import SENTENCES, SETTLE_S, Talker
from benchmarks.processes import CpuMeter, Worker, cores_note, process_groups
from benchmarks.report import Row
from benchmarks.robot_client import Fleet
from benchmarks.stack import SCRIPTED, Stack, stack
from benchmarks.timing import quantile_ms
from benchmarks.turn import Asker

TURN_RATIO, LATENESS_RATIO = 1.3, 1.2
ROUNDS = 5
ASKERS, CYCLE_S, ROUND_S = 10, 0.48, 4.0
LISTENERS, STRETCH_S = 50, 3.0
TEXTS, PICTURES = 24, 8
"""Requests of each kind that are under way or wait, all the time."""
UPLOADS, UPLOAD_BYTES = 20, 25 * 1024 * 1024
WARM_UP_S = 3.0
_TIMEOUT_S = 60.0

ENVIRONMENT = {**SCRIPTED, "HUB_AGENTS": "ears,stt,planner,tts,vision,image_gen"}

TEXT: dict[str, object] = {
    "model": "scripted",
    "messages": [{"role": "user", "content": "Tell me a story. " * 40}],
}
PICTURE: dict[str, object] = {
    "model": "scripted",
    "prompt": "a red ball on a floor",
    "size": "512x512",
}


class Asked(NamedTuple):
    """What others asked for in a stretch: answers that came, and refusals by their status."""

    answered: int
    refused: dict[int, int]


class Programs:
    """Programs that use the hub's models."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._recording = recording(UPLOAD_BYTES)

    def run(self, job: tuple[str, float]) -> Asked:
        """Keep the queues full (``queues``), or upload recordings at once (``uploads``), for so
        many seconds."""
        what, seconds = job
        work = self._fill_queues if what == "queues" else self._upload
        return asyncio.run(work(seconds))

    async def _fill_queues(self, seconds: float) -> Asked:
        asked = ("/v1/chat/completions", TEXT), ("/v1/images/generations", PICTURE)
        many = [asked[0]] * TEXTS + [asked[1]] * PICTURES
        return await self._for(seconds, [self._again(path, body) for path, body in many])

    async def _upload(self, seconds: float) -> Asked:
        return await self._for(seconds, [self._again_uploaded] * UPLOADS)

    async def _for(self, seconds: float, tasks: "list[Request]") -> Asked:
        answered = 0
        refused: dict[int, int] = {}
        limits = httpx.Limits(max_connections=len(tasks))
        client = httpx.AsyncClient(
            base_url=self._url, trust_env=False, timeout=_TIMEOUT_S, limits=limits
        )

        async def keep_asking(request: "Request") -> None:
            nonlocal answered
            while True:
                status = (await request(client)).status_code
                if status == httpx.codes.OK:
                    answered += 1
                else:
                    refused[status] = refused.get(status, 0) + 1
                    await asyncio.sleep(0.05)

        async with client:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                    for request in tasks:
                        group.create_task(keep_asking(request))
        return Asked(answered, refused)

    @staticmethod
    def _again(path: str, body: dict[str, object]) -> "Request":
        return lambda client: client.post(path, json=body)

    async def _again_uploaded(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(
            "/v1/audio/transcriptions",
            data={"model": "scripted"},
            files={"file": ("recording.wav", self._recording, "audio/wav")},
        )


Request = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def recording(size_bytes: int) -> bytes:
    """Silence as a WAV file of nearly that size: stereo at 44.1 kHz, some minutes."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes((size_bytes - 64) // 4 * 4))
    return sink.getvalue()


def programs(url: str) -> Callable[[tuple[str, float]], Asked]:
    """What runs stretches of other work."""
    return Programs(url).run


def askers(url: str) -> Callable[[float], list[int]]:
    """Connect; return what lets robots ask for a stretch, and gives their latencies in ns."""
    cycle_ns = int(CYCLE_S * 1e9)
    robots = [Asker(url, f"beside-{number}", cycle_ns) for number in range(ASKERS)]
    fleet = Fleet(robots)
    fleet.run(SETTLE_S)

    def run(seconds: float) -> list[int]:
        now_ns = time.monotonic_ns()
        for number, one in enumerate(robots):
            one.ask_from(now_ns + cycle_ns * number // len(robots))
        fleet.run(seconds)
        for one in robots:
            one.ask_no_more()
        fleet.run(1.0, lambda _: all(one.answered for one in robots))
        taken = [ns for one in robots for ns in one.latencies_ns]
        for one in robots:
            one.latencies_ns = []
        return taken

    return run


def listeners(url: str) -> Callable[[float], list[int]]:
    """Connect and be spoken to; return what gives the lateness of a stretch's frames in ns."""
    robots = [Talker(url, f"listener-{number}") for number in range(LISTENERS)]
    fleet = Fleet(robots)
    fleet.run(SETTLE_S)
    for number, one in enumerate(robots):
        one.ask(1 + number % SENTENCES)
        fleet.run(WARM_UP_S / len(robots))

    def run(seconds: float) -> list[int]:
        for one in robots:
            one.lateness_ns = []
        fleet.run(seconds)
        return [ns for one in robots for ns in one.lateness_ns]

    return run


class Compared(NamedTuple):
    """Times in ns without and with the others, what those asked for, and the cores taken."""

    alone_ns: list[int]
    beside_ns: list[int]
    asked: list[Asked]
    cores: dict[str, float]


def run(rounds: int = ROUNDS) -> list[Row]:
    """Measure P12."""
    with stack(ENVIRONMENT) as hub:
        turns = _compare(hub, askers, ROUND_S, "queues", rounds)
        lateness = _compare(hub, listeners, STRETCH_S, "uploads", rounds)
    return [
        _row(
            f"P12 turns beside {TEXTS} texts and {PICTURES} pictures",
            "end of speech → first audio p99",
            turns,
            TURN_RATIO,
        ),
        _row(
            f"P12 {LISTENERS} robots beside {UPLOADS} uploads of 25 MiB",
            "pacing lateness p99",
            lateness,
            LATENESS_RATIO,
        ),
    ]


def _compare(
    hub: Stack,
    robots: Callable[[str], Callable[[float], list[int]]],
    seconds: float,
    what: str,
    rounds: int,
) -> Compared:
    result = Compared([], [], [], {})
    with Worker(robots, hub.url) as fleet, Worker(programs, hub.url) as others:
        meter = CpuMeter(**process_groups(hub), robots=(fleet.pid,), programs=(others.pid,))
        fleet.ask(0.5)
        for _ in range(rounds):
            result.alone_ns.extend(fleet.ask(seconds))
            with meter, others.asking((what, seconds + 1.0)) as asked:
                result.beside_ns.extend(fleet.ask(seconds))
            result.asked.append(asked())
        result.cores.update(meter.cores())
    return result


def _row(case: str, metric: str, result: Compared, goal: float) -> Row:
    ours, alone = (quantile_ms(ns, 0.99) for ns in (result.beside_ns, result.alone_ns))
    answered = sum(one.answered for one in result.asked)
    return Row(
        case=case,
        metric=metric,
        ours=ours,
        peer=alone,
        unit="ms",
        goal=f"≤ {goal:g} × alone",
        ok=ours <= goal * alone,
        note=f"{answered} others answered, refused {_refused(result.asked)}; "
        f"p50 {quantile_ms(result.beside_ns, 0.5):.1f} beside "
        f"{quantile_ms(result.alone_ns, 0.5):.1f} ms; {cores_note(result.cores)}",
    )


def _refused(asked: Iterable[Asked]) -> str:
    total: dict[int, int] = {}
    for one in asked:
        for status, times in one.refused.items():
            total[status] = total.get(status, 0) + times
    return ", ".join(f"{times} by {status}" for status, times in sorted(total.items())) or "none"
