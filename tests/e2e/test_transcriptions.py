"""Stt as a process of its own: recordings go to it through a hub's desk, over real sockets."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.broker.zmq import ZmqHubBus
from hub.edge.pieces import Pieces
from hub.edge.recordings import Recordings
from hub.errors import JobError
from hub.jobs.desk import JobDesk
from hub.jobs.inference import PLAINLY, Inference
from hub.registry import Registry
from protocols.envelope import Envelope
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.agent import AgentDrain
from protocols.messages.transcribe import TranscribeDone, TranscribeSegment
from tests.agents.ears.microphone import mixed, recording, silence
from tests.agents.stt.measure_wer import word_errors
from tests.fakes.sound_files import KINDS, file_of
from tests.recordings import demo_recording

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@asynccontextmanager
async def stt(folder: Path, **environ: str) -> AsyncIterator[JobDesk]:
    """A desk with one stt agent, once that is ready; it drains at the end, and leaves with 0."""
    bus = ZmqHubBus(folder / "bus", 1, clock=time.monotonic_ns)
    registry = Registry(bus)
    desk = JobDesk(bus, registry)
    ready = asyncio.Event()
    registry.watch(lambda agent, up: ready.set() if up else desk.peer_lost(agent.instance))
    async with asyncio.timeout(PATIENCE_S), bus:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agents.stt"),
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env={"HUB_BUS_DIR": str(folder / "bus"), "PYTHONPATH": str(ROOT), **environ},
        )
        await ready.wait()
        yield desk
        (agent,) = registry.agents()
        bus.send(agent.instance, Envelope(body=AgentDrain()))
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()


async def understood(desk: JobDesk, pcm: bytes, **how: object) -> list[object]:
    request = type(PLAINLY)(**{"audio": PLAINLY.audio, **how})  # type: ignore[arg-type]
    return [told async for told in Inference(desk).transcribe(pcm, request)]


async def test_a_file_becomes_text_with_times_through_the_embedded_recogniser(
    tmp_path: Path,
) -> None:
    first, second = demo_recording("find_the_ball.wav"), demo_recording("long_story.wav")
    spoken = mixed(silence(0.5), recording(first.path), silence(1.0), recording(second.path))
    recordings = Recordings()
    pcm = await recordings.pcm_of(Pieces(file_of(spoken.tobytes(), KINDS["m4a"])))
    recordings.close()
    async with stt(tmp_path, STT_BACKEND="pocketsphinx") as desk:
        *segments, done = await understood(desk, pcm, words=True, language="en-US")
        with pytest.raises(JobError) as refused:
            await understood(desk, pcm, language="de")
    assert isinstance(done, TranscribeDone)
    assert word_errors(f"{first.text} {second.text}", done.text) <= 2
    assert done.audio_ms == len(pcm) // 32
    assert (done.language, done.model) == ("en", "en-us")
    assert len(segments) == 2
    for segment in segments:
        assert isinstance(segment, TranscribeSegment)
        assert [word.word for word in segment.words] == segment.text.split()
    assert refused.value.code == "language_not_served"


async def test_ten_minutes_go_over_the_link_and_who_leaves_cancels(tmp_path: Path) -> None:
    marked = marked_chunk(MarkKind.START, 16_000, "hello robot")
    pcm = marked + bytes(600 * 32_000 - len(marked))
    async with stt(tmp_path, STT_BACKEND="scripted") as desk:
        (segment, done) = await understood(desk, pcm)
        async with asyncio.TaskGroup() as tasks:
            leaving = tasks.create_task(understood(desk, pcm))
            await asyncio.sleep(0)
            leaving.cancel()
        with pytest.raises(JobError) as refused:
            await understood(desk, pcm + b"\0\0")
        ends = sorted(str(record.state) for record in desk.records())
    assert isinstance(segment, TranscribeSegment)
    assert (segment.text, segment.end_ms) == ("hello robot", 600_000)
    assert isinstance(done, TranscribeDone)
    assert refused.value.code == "too_large"
    assert ends == ["cancelled", "done", "failed"]
