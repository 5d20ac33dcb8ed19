"""P12: what a robot feels of everything else that the hub is asked for.

*Queues*: robots ask and are answered while programs keep the queues of texts and pictures at their
bound, whose engines are as slow as real ones. *Uploads*: robots are spoken to while twenty files of
25 MiB come in at once, as fast as the hub takes them. Stretches with and without the others
alternate; after each the hub first comes to rest. Robots and programs are clients in processes of
their own, and engines are scripted.
"""

import asyncio
import contextlib
import os
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import httpx

from benchmarks.cancel import SENTENCES, SETTLE_S, Talker
from benchmarks.processes import (
    ANSWER_TIMEOUT_S,
    CpuMeter,
    Worker,
    cores_note,
    process_groups,
)
from benchmarks.report import Row
from benchmarks.robot_client import Fleet
from benchmarks.stack import SCRIPTED, Stack, stack
from benchmarks.timing import quantile_ms
from benchmarks.turn import Asker
from benchmarks.uploading import UPLOAD_BYTES, upload_of

TURN_RATIO, LATENESS_RATIO = 1.3, 1.2
TURN_ROUNDS, LATENESS_ROUNDS = 9, 3
"""A stall of the machine spoils one stretch: what counts is the median of the stretches' p99. That
of turns is the second of 167, and takes more stretches to be the same again."""
ASKERS, CYCLE_S, ROUND_S = 20, 0.48, 4.0
LISTENERS, STRETCH_S = 50, 5.0
"""All uploads together take longer than a stretch."""
LOOK_BACK_S = 0.5
"""A robot's lateness is judged against what the last so many seconds were at best: the hub goes on
from where it is after a stall, and one stall is not to count in every frame of the turn."""
WARM_UP_S = 3.0
CATCH_UP_S = 0.3
"""In which robots read what was sent to them while nobody played them."""
FILL_S = 1.5
"""In which the others begin."""
GO_ON_S = {"queues": 1.0, "uploads": 3.0}
"""What the others go on for after a stretch: of the uploads the first are answered by then."""
REST_S, LONGEST_REST_S = 0.5, 10.0
AT_REST = 1.2
"""The hub is at rest once it takes no more than so many times what it took alone."""

CAPACITY, PAUSE_S = 32, 0.02
"""Texts at once, and seconds for each piece of a text and each step of a picture: a batch of a good
engine."""
QUEUED_TEXTS, QUEUED_PICTURES = 32, 16
"""What one client may have waiting (``hub/jobs/job.py``: half of each class's bound)."""
TEXTS, PICTURES = CAPACITY + QUEUED_TEXTS + 8, 1 + QUEUED_PICTURES + 4
"""Programs that ask for either: as many as are served and wait, and some that are refused."""
UPLOADS = 20
_TIMEOUT_S = 60.0
_LOOK_S = 1.0

ENVIRONMENT = {
    **SCRIPTED,
    "HUB_AGENTS": "ears,stt,planner,tts,vision,image_gen",
    "SCRIPTED_CAPACITY": str(CAPACITY),
    "SCRIPTED_PAUSE_S": str(PAUSE_S),
}

LENGTHS = range(10, 50, 5)
"""Sentences of the texts, which do not all end at once."""
FULL = 0.75
"""Share of the bound below which a queue was never seen: one is short of those who ask again."""


def text_of(sentences: int) -> dict[str, object]:
    """What a program asks for that wants so many sentences."""
    story = {"role": "user", "content": "Tell me a story. " * sentences}
    return {"model": "scripted", "messages": [story]}


PICTURE: dict[str, object] = {
    "model": "scripted",
    "prompt": "a red ball on a floor",
    "size": "512x512",
}

Request = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


class Asked(NamedTuple):
    """What others asked for in a stretch: answers that came, and refusals by their status; the
    fewest texts and pictures that waited once the queues were full."""

    answered: int
    refused: Counter[int]
    waiting: tuple[int, int] = (0, 0)


class Programs:
    """Programs that use the hub's models. They stand for other machines, so they have a core only
    while nobody else wants it; what is merely nice keeps one for up to 3 ms."""

    def __init__(self, url: str) -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        self._url = url
        self._upload = upload_of(UPLOAD_BYTES)
        self._refused: Counter[int] = Counter()
        self._answered = 0
        self._waiting: list[tuple[int, int]] = []

    def run(self, job: tuple[str, float]) -> Asked:
        """Keep the queues full (``queues``), or upload recordings at once (``uploads``), for so
        many seconds."""
        what, seconds = job
        self._refused, self._answered, self._waiting = Counter(), 0, []
        asyncio.run(self._ask_for(seconds, what))
        texts, pictures = zip(*self._waiting, strict=True) if self._waiting else ((0,), (0,))
        return Asked(self._answered, self._refused, (min(texts), min(pictures)))

    async def _ask_for(self, seconds: float, what: str) -> None:
        requests: Sequence[Request] = [self._again_uploaded] * UPLOADS
        if what == "queues":
            texts = [self._text(LENGTHS[number % len(LENGTHS)]) for number in range(TEXTS)]
            requests = [*texts, *[self._picture] * PICTURES]
        limits = httpx.Limits(max_connections=len(requests) + 1)
        async with httpx.AsyncClient(
            base_url=self._url, trust_env=False, timeout=_TIMEOUT_S, limits=limits
        ) as client:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                    for request in requests:
                        group.create_task(self._keep_asking(client, request))
                    if what == "queues":
                        group.create_task(self._look(client))

    async def _keep_asking(self, client: httpx.AsyncClient, request: Request) -> None:
        while True:
            answer = await request(client)
            if answer.is_success:
                self._answered += 1
                continue
            self._refused[answer.status_code] += 1
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))

    async def _look(self, client: httpx.AsyncClient) -> None:
        """Note how much waits."""
        await asyncio.sleep(FILL_S)
        while True:
            told = (await client.get("/metrics")).text
            self._waiting.append((_queued(told, "interactive"), _queued(told, "image")))
            await asyncio.sleep(_LOOK_S)

    @staticmethod
    def _text(sentences: int) -> Request:
        body = text_of(sentences)
        return lambda client: client.post("/v1/chat/completions", json=body)

    @staticmethod
    async def _picture(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/v1/images/generations", json=PICTURE)

    async def _again_uploaded(self, client: httpx.AsyncClient) -> httpx.Response:
        headers = {"Content-Type": self._upload.media_type}
        return await client.post(
            "/v1/audio/transcriptions", content=self._upload.body, headers=headers
        )


def _queued(metrics: str, job_class: str) -> int:
    told = f'hub_jobs{{class="{job_class}",state="queued"}} '
    found = (line for line in metrics.splitlines() if line.startswith(told))
    return int(float(next(found, "0").split()[-1]))


class Listener(Talker):
    """Wants to be spoken to, and forgets a stall once it is over."""

    def settle(self) -> list[int]:
        """The lateness of what came lately, in ns; what comes next is judged by the best of it."""
        lately, self.lateness_ns = self.lateness_ns, []
        if lately:
            self._began_ns += min(lately)
        return lately


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
        fleet.run(CATCH_UP_S)
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
    robots = [Listener(url, f"listener-{number}") for number in range(LISTENERS)]
    fleet = Fleet(robots)
    fleet.run(SETTLE_S)
    for number, one in enumerate(robots):
        one.ask(1 + number % SENTENCES)
        fleet.run(WARM_UP_S / len(robots))

    def run(seconds: float) -> list[int]:
        fleet.run(CATCH_UP_S)
        taken: list[int] = []
        for one in robots:
            one.settle()
        for _ in range(round(seconds / LOOK_BACK_S)):
            fleet.run(LOOK_BACK_S)
            for one in robots:
                taken += one.settle()
        return taken

    return run


class Compared(NamedTuple):
    """Times in ns of each stretch without and with the others, what those asked for, and the cores
    taken beside them; ``restless`` counts stretches after which the hub did not come to rest."""

    alone_ns: list[list[int]]
    beside_ns: list[list[int]]
    asked: list[Asked]
    cores: dict[str, float]
    restless: int


def run() -> list[Row]:
    """Measure P12."""
    with stack(ENVIRONMENT) as hub:
        turns = _compare(hub, askers, ROUND_S, "queues", TURN_ROUNDS)
        lateness = _compare(hub, listeners, STRETCH_S, "uploads", LATENESS_ROUNDS)
    texts, pictures = (min(one.waiting[kind] for one in turns.asked) for kind in (0, 1))
    full = texts >= FULL * QUEUED_TEXTS and pictures >= FULL * QUEUED_PICTURES
    waiting = f"at least {texts} texts and {pictures} pictures waited"
    return [
        _row(
            "P12 turns beside full queues of texts and pictures",
            "end of speech → first audio p99",
            turns,
            TURN_RATIO,
            note=waiting if full else f"QUEUES NOT FULL: {waiting}",
            valid=full,
        ),
        _row(
            f"P12 {LISTENERS} robots beside {UPLOADS} uploads of 25 MiB",
            "pacing lateness p99",
            lateness,
            LATENESS_RATIO,
            note="",
            valid=any(one.answered for one in lateness.asked),
        ),
    ]


def _compare(
    hub: Stack,
    robots: Callable[[str], Callable[[float], list[int]]],
    seconds: float,
    what: str,
    rounds: int,
) -> Compared:
    alone, beside, asked, restless = list[list[int]](), list[list[int]](), list[Asked](), 0
    groups = process_groups(hub)
    with Worker(robots, hub.url) as fleet, Worker(programs, hub.url) as others:
        meter = CpuMeter(**groups, robots=(fleet.pid,), programs=(others.pid,))
        quiet = CpuMeter(**groups)
        fleet.ask(REST_S)
        for _ in range(rounds):
            with quiet:
                alone.append(fleet.ask(seconds))
            whole_s = FILL_S + seconds + 2 * CATCH_UP_S + GO_ON_S[what]
            with others.asking((what, whole_s)) as answer:
                fleet.ask(FILL_S)
                with meter:
                    beside.append(fleet.ask(seconds))
                for _ in range(int(ANSWER_TIMEOUT_S / REST_S)):
                    if others.has_answered():
                        break
                    fleet.ask(REST_S)  # robots that nobody plays would run dry
            asked.append(answer())
            restless += not _rested(fleet, groups, quiet)
    return Compared(alone, beside, asked, meter.cores(), restless)


def _rested(fleet: Worker, groups: dict[str, list[int]], quiet: CpuMeter) -> bool:
    """Wait until hub and agents take no more than they do alone; False if they go on."""
    usual = sum(quiet.cores().values()) * AT_REST
    for _ in range(int(LONGEST_REST_S / REST_S)):
        now = CpuMeter(**groups)
        with now:
            fleet.ask(REST_S)
        if sum(now.cores().values()) <= usual:
            return True
    return False


def _row(case: str, metric: str, result: Compared, goal: float, *, note: str, valid: bool) -> Row:
    (ours, our_half), (alone, half) = map(_middle, (result.beside_ns, result.alone_ns))
    answered = sum(one.answered for one in result.asked)
    refused = sum((one.refused for one in result.asked), Counter[int]())
    by_status = ", ".join(f"{times} by {status}" for status, times in sorted(refused.items()))
    parts = [
        note,
        f"{answered} answered, refused {by_status or 'none'}",
        f"p50 {our_half:.1f} beside {half:.1f} ms",
        cores_note(result.cores),
        f"no rest after {result.restless} stretches" if result.restless else "",
    ]
    return Row(
        case=case,
        metric=metric,
        ours=ours,
        peer=alone,
        unit="ms",
        goal=f"≤ {goal:g} × alone",
        ok=valid and ours <= goal * alone,
        note="; ".join(part for part in parts if part),
    )


def _middle(stretches_ns: list[list[int]]) -> tuple[float, float]:
    """The medians of the stretches' p99 and p50, in ms."""
    p99, p50 = (
        statistics.median(quantile_ms(ns, quantile) for ns in stretches_ns)
        for quantile in (0.99, 0.5)
    )
    return p99, p50
