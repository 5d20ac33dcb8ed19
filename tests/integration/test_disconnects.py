"""A thousand clients that hang up whenever they like leave nothing behind."""

import asyncio
import gc
import os
import random
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from agents.engines.language.base import Prompt
from agents.image_gen.agent import Pictures
from agents.image_gen.backends.base import News, Order
from agents.image_gen.backends.scripted import ScriptedPainter
from agents.image_gen.limits import Limits
from agents.planner.backends.scripted import ScriptedPlanner
from agents.runtime.latch import Latch
from agents.runtime.life import Agent
from agents.tts.backends.base import Marks, Sound
from agents.tts.backends.scripted import ScriptedVoice
from tests.integration.leavers import ENDLESS, Leaver, Moment
from tests.integration.stack import Stack, running

REQUESTS = 1_000
AT_ONCE = 12
LIMIT_S = 120.0
SETTLES_S = 20.0
PAUSE_S = 0.002


class Telling(ScriptedPlanner):
    """Ends no text that is to be endless."""

    async def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        self.opened += 1
        try:
            async with aclosing(super().chat(prompt)) as pieces:
                async for piece in pieces:
                    yield piece
            if ENDLESS in prompt.messages[-1].text:
                await asyncio.Event().wait()
        finally:
            self.closed += 1


class Speaking(ScriptedVoice):
    """Ends no speech that is to be endless."""

    async def _spoken(self, text: str) -> AsyncGenerator[Sound | Marks, None]:
        self.opened += 1
        try:
            async with aclosing(super()._spoken(text)) as sounds:
                async for sound in sounds:
                    yield sound
            if ENDLESS in text:
                await asyncio.Event().wait()
        finally:
            self.closed += 1


class Painting(ScriptedPainter):
    """Ends no picture that is to be endless; counts the orders that are being painted."""

    under_way = 0

    async def paint(self, order: Order) -> AsyncGenerator[News, None]:
        self.under_way += 1
        try:
            async with aclosing(super().paint(order)) as news:
                async for each in news:
                    yield each
                    if ENDLESS in order.prompt:
                        await asyncio.Event().wait()
        finally:
            self.under_way -= 1


class Engines(NamedTuple):
    """What works for the hub, and counts what it has begun and left."""

    planner: ScriptedPlanner
    voice: ScriptedVoice
    painter: Painting

    @property
    def under_way(self) -> int:
        """Requests that any of them still works on."""
        texts = self.planner.opened - self.planner.closed
        return texts + self.voice.opened - self.voice.closed + self.painter.under_way


class Left(NamedTuple):
    """What a process holds, by what it is."""

    tasks: Counter[str]
    files: Counter[str]
    temporary: list[str]

    def since(self, before: "Left") -> "Left":
        """What was not there before."""
        temporary = [name for name in self.temporary if name not in before.temporary]
        return Left(self.tasks - before.tasks, self.files - before.files, temporary)


def held(temporary: Path) -> Left:
    """Tasks of this loop, open files of this process, and files in ``temporary``."""
    gc.collect()
    tasks = Counter(str(task.get_coro().__qualname__) for task in asyncio.all_tasks())  # type: ignore[union-attr]
    files = Counter[str]()
    for entry in os.listdir("/proc/self/fd"):
        try:
            files[os.readlink(f"/proc/self/fd/{entry}").partition(":")[0]] += 1
        except FileNotFoundError:
            continue  # that of the listing itself
    return Left(tasks, files, sorted(str(path) for path in temporary.rglob("*")))


@asynccontextmanager
async def hub_with_engines(folder: Path) -> AsyncIterator[tuple[Stack, Engines]]:
    """A hub whose engines take a while for everything."""
    latch = Latch()
    engines = Engines(
        Telling(chat_pause_s=PAUSE_S),
        Speaking(word_ms=60, pause_s=PAUSE_S),
        Painting(latch, step_s=PAUSE_S),
    )
    services = [Pictures(engines.painter, Limits())]
    painting = Agent(engines.painter, services, capacity=4, latch=latch)
    others = [("image_gen-primary", painting)]
    async with running(folder, planner=engines.planner, voice=engines.voice, others=others) as hub:
        yield hub, engines


def is_fine(answer: bytes) -> bool:
    """Whether a request succeeded; what follows the opening of a WebSocket are its frames."""
    return answer.startswith((b"HTTP/1.1 200 ", b"\x81"))


async def ended(hub: Stack, how: str) -> int:
    """How many jobs have ended in this way."""
    async with hub.http() as http:
        lines = (await http.get("/metrics")).text.splitlines()
    told = (line for line in lines if line.startswith("hub_jobs_ended_total"))
    return sum(int(float(line.split()[-1])) for line in told if f'end="{how}"' in line)


async def until(settled: Callable[[], bool]) -> None:
    """Return once ``settled``, or after a while."""
    deadline = asyncio.get_running_loop().time() + SETTLES_S
    while not settled() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - of all
        await asyncio.sleep(0.05)


async def open_jobs(hub: Stack) -> list[str]:
    """Jobs that have not ended."""
    async with hub.http() as http:
        jobs = (await http.get("/jobs")).json()["jobs"]
    return [f"{j['request']} {j['state']}" for j in jobs if j["state"] in ("queued", "running")]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def test_a_thousand_clients_that_hang_up_leave_nothing_behind(
    tmp_path: Path, temporary: Path
) -> None:
    async with hub_with_engines(tmp_path / "data") as (hub, engines):
        leaver = Leaver(int(hub.url.rpartition(":")[2]), seed=6)
        for kind in leaver.kinds:  # what is made once and kept is there from now on
            answer = await leaver.leave(kind, Moment.END, random.Random(kind))
            assert is_fine(answer), (kind, answer[:500])
        await open_jobs(hub)
        await until(lambda: engines.under_way == 0)
        before = held(temporary)

        numbers = iter(range(REQUESTS))
        left = Counter[tuple[str, Moment]]()

        async def keep_leaving() -> None:
            for number in numbers:
                left[await leaver.visit(number)] += 1

        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as clients:
            for _ in range(AT_ONCE):
                clients.create_task(keep_leaving())

        nothing = Left(Counter(), Counter(), [])
        await until(lambda: engines.under_way == 0 and held(temporary).since(before) == nothing)
        assert engines.under_way == 0
        assert held(temporary).since(before) == nothing
        assert await open_jobs(hub) == []
        assert left.total() == REQUESTS
        assert await ended(hub, "cancelled") > REQUESTS // 10  # others left before there was a job
        assert await ended(hub, "failed") == 0
