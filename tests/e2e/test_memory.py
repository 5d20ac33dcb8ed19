"""The memory agent as a process of its own, on a real bus: documents, vectors, memories, a kill."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from hub.broker.zmq import ZmqHubBus
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.agent import AgentHeartbeat, AgentReady
from protocols.messages.blob import (
    SENT_BYTES,
    BlobPart,
    BlobRef,
    BlobSent,
    BlobTaken,
    BlobWant,
    BlobWanted,
)
from protocols.messages.job import JobDone, JobFailed
from protocols.messages.memory import (
    DocumentAdd,
    DocumentsKept,
    EmbedDone,
    EmbedRequest,
    MemoryConsent,
    MemoryNote,
    MemoryRecall,
    MemoryState,
    RetrieveDone,
    RetrieveRequest,
)

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
FACTS = (
    AgentReady, AgentHeartbeat, BlobWanted, JobDone, JobFailed, DocumentsKept, EmbedDone,
    MemoryState, RetrieveDone,
)  # fmt: skip

M = TypeVar("M", bound=Message)


class Desk:
    """The hub's side: gives jobs to the one agent, sends the bytes it asks for, and waits."""

    def __init__(self, hub: ZmqHubBus) -> None:
        self._hub = hub
        self._numbers = count(1)
        self._blobs: dict[int, bytes] = {}
        self.agent = ""
        self.heard: list[tuple[AnyEnvelope, bytes]] = []
        self._more = asyncio.Event()
        hub.on_peers(lambda name, hello: self._link(name), lambda name, reason: self._link(""))
        for fact in FACTS:
            hub.subscribe(fact, self._hear)
        hub.subscribe(BlobPart, self._hear)

    def give(self, body: Message, data: bytes = b"", robot: str = "") -> int:
        job = next(self._numbers)
        self._blobs[job] = data
        self.send(job, body, robot)
        return job

    def send(self, job: int, body: Message, robot: str = "") -> None:
        self._hub.send(self.agent, Envelope(job=job, robot=robot, body=body))

    async def answer(self, job: int, kind: type[M]) -> tuple[M, bytes]:
        """The answer of ``kind`` to a job."""
        while True:
            for envelope, blob in self.heard:
                if envelope.job == job and isinstance(envelope.body, kind):
                    return envelope.body, blob
            await self._change()

    async def done(self, body: Message, kind: type[M], data: bytes = b"", robot: str = "") -> M:
        job = self.give(body, data, robot)
        answer, _ = await self.answer(job, kind)
        await self.answer(job, JobDone)
        return answer

    async def until_ready(self) -> None:
        while not any(isinstance(envelope.body, AgentReady) for envelope, _ in self.heard):
            await self._change()

    async def until_gone(self) -> None:
        while self.agent:
            await self._change()

    def _link(self, name: str) -> None:
        self.agent = name
        self._more.set()

    def _hear(self, envelope: AnyEnvelope, blob: bytes) -> None:
        if isinstance(envelope.body, BlobWanted):
            offset = envelope.body.offset
            part = self._blobs[envelope.job][offset : offset + SENT_BYTES]
            self.send(envelope.job, BlobSent(index=0, offset=offset, data=part))
        self.heard.append((envelope, blob))
        self._more.set()

    async def _change(self) -> None:
        self._more.clear()
        await self._more.wait()


@asynccontextmanager
async def agent(desk: Desk, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agents.memory"),
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(ROOT),
            "HUB_BUS_DIR": str(tmp_path / "bus"),
            "HUB_DATA_DIR": str(tmp_path / "data"),
            "HUB_LOG_LEVEL": "debug",
            "EMBED_BACKEND": "scripted",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await desk.until_ready()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        desk.heard.clear()


def ref(data: bytes) -> BlobRef:
    return BlobRef(index=0, size_bytes=len(data))


async def test_a_memory_process_serves_dies_and_remembers(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    hub = ZmqHubBus(tmp_path / "bus", 1, clock=time.monotonic_ns)
    desk = Desk(hub)
    guide = b"# Lions\n\nThe lion roars at night.\n\n# More\n\n" + b"So it goes on. " * 20_000
    async with asyncio.timeout(PATIENCE_S), hub:
        async with agent(desk, tmp_path) as process:
            add = DocumentAdd(base="zoo", name="guide.md", content=ref(guide))
            kept = await desk.done(add, DocumentsKept, guide)
            assert kept.documents == 1
            assert kept.chunks == kept.touched == kept.embedded > 500

            found = await desk.done(RetrieveRequest(base="zoo", query="roaring lion"), RetrieveDone)
            assert found.passages[0].text == "The lion roars at night."

            texts = json.dumps(["red", "blue"]).encode()
            job = desk.give(EmbedRequest(texts=ref(texts)), texts)
            embedded, _ = await desk.answer(job, EmbedDone)
            desk.send(job, BlobWant(index=0, offset=0))
            _, part = await desk.answer(job, BlobPart)
            desk.send(job, BlobTaken())
            await desk.answer(job, JobDone)
            assert np.frombuffer(part, "<f4").size == embedded.count * embedded.dimensions == 128

            await desk.done(MemoryConsent(granted=True), MemoryState, robot="r1")
            note = MemoryNote(tags=({"tag": "lions", "category": "topic"},), source="chat")
            await desk.done(note, MemoryState, robot="r1")

            job = desk.give(DocumentAdd(base="zoo", name="guide.md", content=ref(b"\xff")), b"\xff")
            assert (await desk.answer(job, JobFailed))[0].code == "not_text"

            desk.give(add, guide)
            process.kill()
            _, said = await process.communicate()
            await desk.until_gone()
        assert b"lion" not in said
        async with agent(desk, tmp_path):
            found = await desk.done(RetrieveRequest(base="zoo", query="roaring lion"), RetrieveDone)
            assert found.passages[0].text == "The lion roars at night."
            state = await desk.done(MemoryRecall(), MemoryState, robot="r1")
            assert [entry.tag for entry in state.entries] == ["lions"]
