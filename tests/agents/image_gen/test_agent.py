"""The image agent as a service: what comes in and what goes out."""

import asyncio

import pytest

from agents.image_gen.agent import Pictures
from agents.image_gen.backends.scripted import ScriptedPainter
from agents.image_gen.limits import Limits
from agents.runtime.errors import AgentError
from agents.runtime.latch import Latch
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
from protocols.messages.job import JobDone
from tests.agents.image_gen.pictures import bomb, half_white, plain
from tests.fakes.two_lists import ListInbox, Outbox
from tests.virtual_time import virtual

TINY = Limits(min_side=8)
REQUEST = ImageRequest(prompt="a red ball", width=64, height=64, steps=3, seed=5)
PATIENCE_S = 10.0


class Job:
    """One order on the service, and the hub's part of it."""

    def __init__(self, request: ImageRequest, *sent: bytes, limits: Limits = TINY) -> None:
        self.latch = Latch()
        self.painter = ScriptedPainter(self.latch)
        self.inbox = ListInbox(request)
        self.service = Pictures(self.painter, limits)
        self.outbox = Outbox(self.service)
        self._sent = sent

    async def run(self) -> None:
        """Raises what the service raises."""
        failure: AgentError | None = None
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            answering = tasks.create_task(self._answer())
            try:
                await self.service.serve(self.inbox, self.outbox)
            except AgentError as error:
                failure = error  # out of the group as itself
            answering.cancel()
        if failure is not None:
            raise failure

    async def _answer(self) -> None:
        """Send what is asked for, then take what is handed out, byte for byte."""
        asked = 0
        for index, data in enumerate(self._sent):
            for offset in range(0, len(data), SENT_BYTES):
                asked += 1
                await self.outbox.until(BlobWanted, asked)
                part = data[offset : offset + SENT_BYTES]
                self.inbox.put(BlobSent(index=index, offset=offset, data=part))
        await self.outbox.until(ImageDone)
        for ref in self.done.images:
            self.inbox.put(BlobWant(index=ref.index, offset=0))
        self.inbox.put(BlobTaken())

    @property
    def done(self) -> ImageDone:
        (done,) = [one for one in self.outbox.messages if isinstance(one, ImageDone)]
        return done

    @property
    def pictures(self) -> list[bytes]:
        return [sent.blob for sent in self.outbox.sent if isinstance(sent.message, BlobPart)]


def ref(data: bytes, index: int = 0) -> BlobRef:
    return BlobRef(index=index, size_bytes=len(data))


async def made(request: ImageRequest, *sent: bytes) -> list[bytes]:
    job = Job(request, *sent)
    await job.run()
    return job.pictures


async def test_an_order_gets_its_progress_then_its_pictures_then_its_end() -> None:
    job = Job(ImageRequest(prompt="a red ball", width=64, height=72, steps=2, seed=5, count=2))
    await job.run()
    assert [type(one) for one in job.outbox.messages] == [
        *[ImageProgress] * 4, ImageDone, BlobPart, BlobPart, JobDone
    ]  # fmt: skip
    assert job.outbox.messages[:4] == [
        ImageProgress(image=image, step=step, steps=2) for image in (0, 1) for step in (1, 2)
    ]
    assert (job.done.seeds, job.done.width, job.done.height) == ((5, 6), 64, 72)
    assert [(one.index, one.size_bytes) for one in job.done.images] == [
        (index, len(png)) for index, png in enumerate(job.pictures)
    ]
    assert {one.media_type for one in job.done.images} == {"image/png"}


async def test_the_same_request_gives_the_same_bytes() -> None:
    assert await made(REQUEST) == await made(REQUEST)


async def test_a_source_and_its_mask_are_asked_for_and_used() -> None:
    pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    red, white = plain(), half_white()
    out_of = ImageRequest(prompt="a ball", width=64, height=64, steps=4, source=ref(red))
    masked = ImageRequest(
        prompt="a ball", width=64, height=64, steps=4, source=ref(red), mask=ref(white, 1)
    )
    pictures = [await made(REQUEST), await made(out_of, red), await made(masked, red, white)]
    assert len({picture for (picture,) in pictures}) == 3


@pytest.mark.parametrize("source", [b"GIF?", bomb()], ids=["no picture", "a bomb"])
async def test_what_cannot_be_decoded_is_refused_before_a_step_is_taken(source: bytes) -> None:
    pytest.importorskip("PIL", reason="robot-hub[image] is not installed")
    job = Job(ImageRequest(prompt="a ball", width=64, height=64, source=ref(source)), source)
    with pytest.raises(AgentError) as caught:
        await job.run()
    assert caught.value.code == "bad_picture"
    assert job.painter.taken == 0


@virtual
async def test_more_bytes_than_a_picture_may_have_are_not_even_asked_for() -> None:
    request = ImageRequest(prompt="a", source=BlobRef(index=0, size_bytes=1 << 30))
    job = Job(request)
    with pytest.raises(AgentError) as caught:
        await job.service.serve(job.inbox, job.outbox)
    assert caught.value.code == "too_large"
    assert job.outbox.messages == []


@virtual
async def test_a_size_that_is_not_made_is_refused_with_its_code() -> None:
    job = Job(ImageRequest(prompt="a", width=100, height=100), limits=Limits())
    with pytest.raises(AgentError) as caught:
        await job.service.serve(job.inbox, job.outbox)
    assert caught.value.code == "bad_size"
    assert job.outbox.messages == []


@virtual
async def test_a_job_whose_task_is_cancelled_takes_no_further_step() -> None:
    job = Job(REQUEST)
    job.latch.set(True)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(job.service.serve(job.inbox, job.outbox))
        await asyncio.sleep(1)
        serving.cancel()
    job.latch.set(False)
    await asyncio.sleep(1)
    assert job.painter.taken == 0
    assert job.outbox.messages == []


@virtual
async def test_an_engine_that_fails_fails_the_job_by_its_code() -> None:
    job = Job(ImageRequest(prompt="!out_of_memory", width=64, height=64, steps=3))
    with pytest.raises(AgentError) as caught:
        await job.service.serve(job.inbox, job.outbox)
    assert caught.value.code == "out_of_memory"
    assert [type(one) for one in job.outbox.messages] == [ImageProgress]
