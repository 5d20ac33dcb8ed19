"""The image agent as a process of its own, on a real bus."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from agents.image_gen.png import size_in
from hub.broker.zmq import ZmqHubBus
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.agent import AgentDrain, AgentHello, AgentReady
from protocols.messages.blob import (
    SENT_BYTES,
    BlobPart,
    BlobRef,
    BlobSent,
    BlobTaken,
    BlobWant,
    BlobWanted,
)
from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from protocols.messages.job import JobCancel, JobDone, JobFailed, WorkHold
from tests.agents.image_gen.pictures import bomb, plain

pytestmark = pytest.mark.e2e

M = TypeVar("M", bound=Message)

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
HEARD = (
    BlobWanted, BlobPart, ImageProgress, ImageDone, JobDone, JobFailed
)  # fmt: skip
REQUEST = ImageRequest(prompt="a red ball", width=256, height=256, steps=3, seed=5)


class Hub:
    """The hub's end of a bus with one image agent on it."""

    def __init__(self, bus: ZmqHubBus) -> None:
        self.bus = bus
        self.agent = ""
        self.ready = asyncio.Event()
        self._got: asyncio.Queue[tuple[AnyEnvelope, bytes]] = asyncio.Queue()
        bus.on_peers(self._joined, lambda name, reason: None)
        bus.subscribe(AgentReady, lambda envelope, blob: self.ready.set())
        for message in HEARD:
            bus.subscribe(message, lambda envelope, blob: self._got.put_nowait((envelope, blob)))

    def order(self, body: Message, job: int = 1) -> None:
        self.bus.send(self.agent, Envelope(job=job, body=body))

    async def next(self, kind: type[M], job: int = 1) -> tuple[M, bytes]:
        """The next message, which must be a ``kind``; progress is passed over."""
        while True:
            envelope, blob = await self._got.get()
            if isinstance(envelope.body, kind):
                assert envelope.job == job
                return envelope.body, blob
            assert isinstance(envelope.body, ImageProgress), envelope.body

    async def take(self, ref: BlobRef, job: int = 1) -> bytes:
        """All bytes of what was made."""
        taken = b""
        while len(taken) < ref.size_bytes:
            self.order(BlobWant(index=ref.index, offset=len(taken)), job)
            part, data = await self.next(BlobPart, job)
            assert (part.index, part.offset) == (ref.index, len(taken))
            taken += data
        return taken

    async def picture(self, request: ImageRequest, job: int = 1) -> bytes:
        """Order one picture and see the job to its end."""
        self.order(request, job)
        done, _ = await self.next(ImageDone, job)
        png = await self.take(done.images[0], job)
        self.order(BlobTaken(), job)
        await self.next(JobDone, job)
        return png

    def _joined(self, name: str, hello: AnyEnvelope) -> None:
        assert isinstance(hello.body, AgentHello)
        self.agent = name


@asynccontextmanager
async def image_agent(
    folder: Path, patience_s: float = PATIENCE_S, **environ: str
) -> AsyncIterator[Hub]:
    """A hub's bus, and the agent's process on it, ready."""
    bus = ZmqHubBus(folder / "bus", 1, clock=time.monotonic_ns)
    hub = Hub(bus)
    async with asyncio.timeout(patience_s), bus:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agents.image_gen"),
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "HUB_BUS_DIR": str(folder / "bus"), **environ},
        )
        try:
            await hub.ready.wait()
            yield hub
            bus.send(hub.agent, Envelope(body=AgentDrain()))
            assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_a_picture_is_made_and_taken_part_by_part_and_the_same_again(tmp_path: Path) -> None:
    async with image_agent(tmp_path, IMAGE_BACKEND="scripted") as hub:
        first = await hub.picture(REQUEST, job=1)
        again = await hub.picture(REQUEST, job=2)
    assert size_in(first) == (256, 256)
    assert first == again


async def test_a_source_is_asked_for_and_a_bomb_refused(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    async with image_agent(tmp_path, IMAGE_BACKEND="scripted") as hub:
        made = []
        for job, source in enumerate((plain(), bomb()), start=1):
            ref = BlobRef(index=0, size_bytes=len(source))
            hub.order(ImageRequest(prompt="a ball", width=256, height=256, source=ref), job)
            for offset in range(0, len(source), SENT_BYTES):
                wanted, _ = await hub.next(BlobWanted, job)
                assert wanted.offset == offset
                part = source[offset : offset + SENT_BYTES]
                hub.order(BlobSent(index=0, offset=offset, data=part), job)
            if job == 1:
                done, _ = await hub.next(ImageDone, job)
                made.append(await hub.take(done.images[0], job))
                hub.order(BlobTaken(), job)
                await hub.next(JobDone, job)
        failed, _ = await hub.next(JobFailed, job=2)
    assert size_in(made[0]) == (256, 256)
    assert failed.code == "bad_picture"


async def test_a_held_agent_takes_no_step_and_a_cancelled_job_is_followed_by_the_next(
    tmp_path: Path,
) -> None:
    async with image_agent(tmp_path, IMAGE_BACKEND="scripted") as hub:
        untouched = await hub.picture(REQUEST, job=1)
        hub.order(WorkHold(held=True))
        hub.order(REQUEST, job=2)
        hub.order(JobCancel(), job=2)
        hub.order(REQUEST, job=3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await hub.next(ImageProgress, job=3)
        hub.order(WorkHold(held=False))
        done, _ = await hub.next(ImageDone, job=3)
        assert await hub.take(done.images[0], job=3) == untouched
        hub.order(BlobTaken(), job=3)
        await hub.next(JobDone, job=3)


async def test_a_size_that_is_not_made_fails_its_job_and_nothing_else(tmp_path: Path) -> None:
    async with image_agent(tmp_path, IMAGE_BACKEND="scripted", MAX_IMAGE_SIZE="512") as hub:
        hub.order(ImageRequest(prompt="a ball", width=1024, height=512))
        failed, _ = await hub.next(JobFailed)
        assert await hub.picture(REQUEST, job=2)
    assert failed.code == "bad_size"


async def test_an_agent_without_an_engine_says_so_in_one_sentence_and_ends(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agents.image_gen"),
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(ROOT), "HUB_BUS_DIR": str(tmp_path), "HUB_LOG_LEVEL": "ERROR",
            "IMAGE_MODEL_PATH": "/nowhere/sdxl",
        },
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().startswith("image_gen: ")
    assert errors.decode().endswith(", and IMAGE_BASE_URL names no server\n")
    assert errors.count(b"\n") == 1
