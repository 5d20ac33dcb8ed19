"""Whole recordings as jobs: what comes back of them, and what is refused."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from agents.runtime.blobs import BlobTooLarge
from agents.runtime.errors import AgentError
from agents.runtime.slot import EngineSlot
from agents.stt.backends.base import Asked, NotServed, Recogniser, Transcribing, Understood
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.stt.recorded import spread
from agents.stt.recordings import AT_ONCE, MAX_BYTES, Transcriptions
from agents.stt.slotted import SlottedRecogniser
from protocols.envelope import Message
from protocols.messages.blob import SENT_BYTES, BlobRef, BlobSent, BlobWanted
from protocols.messages.job import JobDone
from protocols.messages.transcribe import (
    TranscribeDone,
    TranscribeRequest,
    TranscribeSegment,
    WordTime,
)
from tests.agents.stt.sessions import SECOND, said
from tests.fakes.engines import running, slot_of
from tests.fakes.two_lists import ListInbox, Outbox, served
from tests.virtual_time import settle, virtual


class Patient:
    """A recogniser that says one stretch and then waits; it notes what was begun and left."""

    name = "patient"
    model = "patience"

    def __init__(self) -> None:
        self.begun = 0
        self.left = 0

    async def transcribed(
        self, pcm: bytes, asked: Asked
    ) -> AsyncGenerator[TranscribeSegment | Understood, None]:
        self.begun += 1
        try:
            yield TranscribeSegment(start_ms=0, end_ms=10, text="well")
            await asyncio.Event().wait()
        finally:
            self.left += 1


def order(pcm: bytes, how: TranscribeRequest | None = None) -> list[Message]:
    """A job to transcribe ``pcm``, and its sound as the hub sends it."""
    audio = BlobRef(index=0, size_bytes=len(pcm))
    how = how or TranscribeRequest(audio=audio)
    request = TranscribeRequest(
        audio=audio,
        language=how.language,
        temperature=how.temperature,
        words=how.words,
        translate=how.translate,
    )
    parts = range(0, len(pcm), SENT_BYTES)
    sent = [BlobSent(index=0, offset=at, data=pcm[at : at + SENT_BYTES]) for at in parts]
    return [request, *sent]


def asking(**how: object) -> TranscribeRequest:
    fields = {"audio": BlobRef(index=0, size_bytes=0), **how}
    return TranscribeRequest(**fields)  # type: ignore[arg-type]


async def told(engine: Transcribing, messages: list[Message]) -> list[Message]:
    """What a job answers, without what it asks for."""
    answers = await served(Transcriptions(engine), *messages)
    return [one for one in answers if not isinstance(one, BlobWanted)]


async def refusal(engine: Transcribing, messages: list[Message]) -> str:
    with pytest.raises(AgentError) as raised:
        await told(engine, messages)
    return raised.value.code


@virtual
async def test_the_text_of_a_recording_goes_back_stretch_by_stretch_and_last_the_whole() -> None:
    pcm = said("hello robot", 16_000) + said("turn around", 8_000)
    assert await told(ScriptedRecogniser(model="m"), order(pcm, asking(language="en-GB"))) == [
        TranscribeSegment(start_ms=0, end_ms=1_000, text="hello robot", confidence=1.0),
        TranscribeSegment(start_ms=1_000, end_ms=1_500, text="turn around", confidence=1.0),
        TranscribeDone(
            text="hello robot turn around", language="en", confidence=1.0,
            language_confidence=1.0, audio_ms=1_500, model="m",
        ),
        JobDone(),
    ]  # fmt: skip


@virtual
async def test_words_have_times_where_they_were_asked_for() -> None:
    pcm = said("hello robot", 16_000)
    segment = (await told(ScriptedRecogniser(), order(pcm, asking(words=True))))[0]
    assert isinstance(segment, TranscribeSegment)
    assert segment.words == (
        WordTime(word="hello", start_ms=0, end_ms=500),
        WordTime(word="robot", start_ms=500, end_ms=1_000),
    )


@virtual
async def test_a_recording_without_words_is_an_answer_without_text() -> None:
    (done, _) = await told(ScriptedRecogniser(), order(SECOND))
    assert isinstance(done, TranscribeDone)
    assert (done.text, done.audio_ms) == ("", 1_000)


@virtual
async def test_ten_minutes_are_taken_and_no_sample_more() -> None:
    (done, _) = await told(ScriptedRecogniser(), order(bytes(MAX_BYTES)))
    assert isinstance(done, TranscribeDone)
    assert done.audio_ms == 600_000
    with pytest.raises(BlobTooLarge):
        await told(ScriptedRecogniser(), order(bytes(MAX_BYTES + 2)))


@virtual
async def test_what_cannot_be_transcribed_is_refused_by_its_code() -> None:
    engine = ScriptedRecogniser()
    assert await refusal(engine, order(b"")) == "no_audio"
    assert await refusal(engine, order(b"\0\0\0")) == "bad_audio"
    for temperature in (-0.1, 1.1, float("nan")):
        assert await refusal(engine, order(SECOND, asking(temperature=temperature))) == (
            "bad_request"
        )


@virtual
async def test_an_engine_that_fails_in_the_middle_fails_the_job_by_its_code() -> None:
    service = Transcriptions(ScriptedRecogniser())
    inbox = ListInbox(*order(said("hello", 16_000) + said("!engine_broke", 16_000)))
    outbox = Outbox(service)
    with pytest.raises(AgentError) as raised:
        await service.serve(inbox, outbox)
    assert raised.value.code == "engine_broke"
    assert sum(isinstance(one, TranscribeSegment) for one in outbox.messages) == 1
    assert not any(isinstance(one, JobDone) for one in outbox.messages)


@virtual
async def test_a_job_that_is_cancelled_closes_the_engine_s_generator() -> None:
    engine = Patient()
    service = Transcriptions(engine)
    outbox = Outbox(service)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(service.serve(ListInbox(*order(SECOND)), outbox))
        await outbox.until(TranscribeSegment)
        serving.cancel()
    assert engine.left == 1


@virtual
async def test_the_sound_of_further_jobs_stays_at_the_hub_until_there_is_room() -> None:
    engine = Patient()
    service = Transcriptions(engine)
    async with asyncio.TaskGroup() as tasks:
        boxes = [Outbox(service) for _ in range(AT_ONCE + 1)]
        jobs = [tasks.create_task(service.serve(ListInbox(*order(SECOND)), box)) for box in boxes]
        await settle(20)
        assert (engine.begun, boxes[-1].messages) == (AT_ONCE, [])
        jobs[0].cancel()
        await boxes[-1].until(BlobWanted)
        for job in jobs:
            job.cancel()


@virtual
async def test_one_engine_of_a_slot_hears_a_whole_recording() -> None:
    slot: EngineSlot[Recogniser] = slot_of(lambda model: ScriptedRecogniser(["yes"], model))
    async with running(slot):
        answers = await told(SlottedRecogniser(slot), order(SECOND))
        assert [getattr(one, "text", None) for one in answers] == ["yes", "yes", None]


class Deaf:
    """A recogniser of sessions only."""

    name = "deaf"
    model = "none"
    capacity = 1

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def stream(self, language: str) -> None:
        """Never asked for."""


@virtual
async def test_an_engine_that_takes_no_recordings_says_so() -> None:
    slot: EngineSlot[Recogniser] = slot_of(lambda model: Deaf())  # type: ignore[arg-type, return-value]
    async with running(slot):
        with pytest.raises(NotServed) as raised:
            await told(SlottedRecogniser(slot), order(SECOND))
    assert raised.value.code == "recordings_not_served"


def test_words_are_spread_by_their_letters() -> None:
    times = spread(["a", "long", "one"], 1_000, 1_800)
    assert [(each.start_ms, each.end_ms) for each in times] == [
        (1_000, 1_100),
        (1_100, 1_500),
        (1_500, 1_800),
    ]
    assert spread([], 0, 10) == ()
