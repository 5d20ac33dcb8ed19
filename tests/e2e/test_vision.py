"""Vision as a process of its own on a hub's bus, over real sockets."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from hub.broker.zmq import ZmqHubBus
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.agent import AgentDrain, AgentHeartbeat, AgentReady
from protocols.messages.blob import SENT_BYTES, BlobRef, BlobSent, BlobWanted
from protocols.messages.chat import ChatDelta, ChatDone, ChatEntry, ChatRequest
from protocols.messages.job import JobDone, JobFailed
from protocols.messages.session import Camera, SessionAssign
from protocols.messages.vision import (
    BallsSeen,
    CameraFrame,
    DetectDone,
    DetectRequest,
    GroundDone,
    GroundRequest,
)
from tests.agents.vision.screens import balls, dialog, png

pytestmark = pytest.mark.e2e

pytest.importorskip("rapidocr", reason="robot-hub[vision] is not installed")

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""The reader's libraries are read from the disk first."""

M = TypeVar("M", bound=Message)


class Hub:
    """A hub's bus with one agent, and all that came from it."""

    def __init__(self, bus: ZmqHubBus, agent: str) -> None:
        self._bus = bus
        self._agent = agent
        self._blobs: dict[int, bytes] = {}
        self._jobs = 0
        self.got: list[AnyEnvelope] = []
        self._changed = asyncio.Event()

    def take(self, envelope: AnyEnvelope, _: bytes) -> None:
        match envelope.body:
            case BlobWanted(index=index, offset=offset):
                part = self._blobs[envelope.job][offset : offset + SENT_BYTES]
                sent = BlobSent(index=index, offset=offset, data=part)
                self._bus.send(self._agent, Envelope(job=envelope.job, body=sent))
            case _:
                self.got.append(envelope)
                self._changed.set()

    async def until(self, kind: type[M], job: int = 0) -> AnyEnvelope:
        """The first message of that kind, of a job if one is named."""
        while True:
            for envelope in self.got:
                if isinstance(envelope.body, kind) and envelope.job == job:
                    return envelope
            self._changed.clear()
            await self._changed.wait()

    async def job(self, order: Message, picture: bytes) -> list[Message]:
        """All that a job answers, or its failure."""
        self._jobs += 1
        job = self._jobs
        self._blobs[job] = picture
        self._bus.send(self._agent, Envelope(job=job, body=order))
        while not any(e.job == job and isinstance(e.body, JobDone | JobFailed) for e in self.got):
            self._changed.clear()
            await self._changed.wait()
        return [e.body for e in self.got if e.job == job and not isinstance(e.body, JobDone)]


@asynccontextmanager
async def vision(folder: Path, **environ: str) -> AsyncIterator[tuple[Hub, ZmqHubBus, AgentReady]]:
    """The agent, once it is ready; it drains at the end, and leaves with 0."""
    bus_dir = folder / "bus"
    bus = ZmqHubBus(bus_dir, 1, clock=time.monotonic_ns)
    alone = {
        "OLLAMA_URL": "http://127.0.0.1:9",
        "AURAOS_HF_MODEL": "/nowhere/model",
        "HUB_BUS_DIR": str(bus_dir),
        "PYTHONPATH": str(ROOT),
    }
    async with asyncio.timeout(PATIENCE_S), bus:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agents.vision"),
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env={**alone, **environ},
        )
        hub = Hub(bus, f"vision-primary-{process.pid}")
        kinds = (AgentReady, BlobWanted, ChatDelta, ChatDone, GroundDone, DetectDone, BallsSeen)
        for kind in (*kinds, JobDone, JobFailed):
            bus.subscribe(kind, hub.take)
        ready = (await hub.until(AgentReady)).body
        assert isinstance(ready, AgentReady)
        yield hub, bus, ready
        bus.send(f"vision-primary-{process.pid}", Envelope(body=AgentDrain()))
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()


def ref(data: bytes) -> BlobRef:
    return BlobRef(index=0, size_bytes=len(data))


async def test_it_grounds_detects_describes_and_watches_without_a_model(tmp_path: Path) -> None:
    screen, room = dialog(), balls(("#d01818", 160, 240, 60))
    async with vision(tmp_path) as (hub, bus, ready):
        assert ready.backend == "embedded"
        assert ready.info["reason"].startswith("no vision model can be had")
        assert ready.capacity > 1

        order = GroundRequest(picture=ref(screen.png), name="Save")
        (grounded,) = await hub.job(order, screen.png)
        (found,) = await hub.job(DetectRequest(picture=ref(room)), room)
        question = ChatEntry(role="user", text="What do you see?", pictures=(ref(room),))
        said = await hub.job(ChatRequest(messages=(question,)), room)
        bomb = png(13_000, 13_000)
        (refused,) = await hub.job(GroundRequest(picture=ref(bomb)), bomb)

        camera = Camera(hfov_deg=62.0, width=640, height=480)
        identity = {"robot": "r1", "session": "s1", "epoch": 1}
        bus.send(hub._agent, Envelope(body=SessionAssign(camera=camera), **identity))
        frame = CameraFrame(width=640, height=480)

        def show(*_: object) -> None:
            taken = time.monotonic_ns()
            bus.publish(Envelope(body=frame, t_src_ns=taken, **identity), room)

        # With each of its heartbeats, since nobody says when it has begun to listen.
        bus.subscribe(AgentHeartbeat, show)
        watched = await hub.until(BallsSeen)

    assert isinstance(grounded, GroundDone)
    assert (grounded.boxes[0].x, grounded.boxes[0].y) == pytest.approx(
        screen.centres["Save"], abs=3
    )
    assert isinstance(found, DetectDone)
    assert [ball.colour for ball in found.balls] == ["red"]
    assert found.balls[0].bearing_deg == pytest.approx(-16.7, abs=0.3)
    texts = "".join(message.text for message in said if isinstance(message, ChatDelta))
    assert "a red ball on the left" in texts
    assert isinstance(said[-1], ChatDone)
    assert isinstance(refused, JobFailed)
    assert refused.code == "bad_picture"
    assert isinstance(watched.body, BallsSeen)
    assert [ball.colour for ball in watched.body.balls] == ["red"]
    assert watched.robot == "r1"
    assert 0 < watched.t_src_ns <= time.monotonic_ns()
