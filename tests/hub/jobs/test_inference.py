"""The typed requests: what they send, what they give back, over the real services' fakes."""

import json

import msgspec
import pytest

from agents.stt.backends.scripted import ScriptedRecogniser
from agents.stt.recordings import Transcriptions
from hub.errors import JobError
from hub.jobs.inference import HEARD_S_PER_S, PLAINLY, Inference, Made, Picture, Said
from hub.jobs.orders import Caller, JobFact
from protocols.messages.agent import AgentKind
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from protocols.messages.job import JobDone
from protocols.messages.memory import DocumentsList, DocumentsListed, EmbedDone, MemoryState
from protocols.messages.transcribe import TranscribeDone, TranscribeRequest, TranscribeSegment
from protocols.messages.vision import Box, GroundDone, GroundRequest
from tests.agents.stt.sessions import said
from tests.fakes.job_services import Chatty, Painter, picture
from tests.fakes.jobs import FakeJobs
from tests.hub.jobs.shop import shop
from tests.virtual_time import virtual


@virtual
async def test_a_chat_is_the_planners_and_one_with_pictures_is_visions() -> None:
    async with shop() as there:
        planner, eyes = Chatty("of course"), Chatty("a cat")
        await there.hire("planner-1", AgentKind.PLANNER, planner)
        await there.hire("vision-1", AgentKind.VISION, eyes)
        models = Inference(there.desk)
        plain = [part async for part in models.chat([Said("user", "will you?")])]
        assert plain == [ChatDelta(text="of "), ChatDelta(text="course "), ChatDone(model="chatty")]
        shown = [Said("user", "what?", (Picture(picture(10, 1)), Picture(picture(20, 2))))]
        seen = "".join([p.text async for p in models.chat(shown) if isinstance(p, ChatDelta)])
        assert seen.startswith("10 ")
        assert (planner.begun, eyes.begun) == (["will you?"], ["what?"])


@virtual
async def test_how_a_text_is_to_be_written_reaches_the_engine() -> None:
    jobs = FakeJobs()
    how = ChatRequest(messages=(), temperature=0.0, max_tokens=80, stop=("!",), seed=3)
    said = [Said("system", "be short"), Said("user", "hello")]
    async for _ in Inference(jobs).chat(said, how, model="m", caller=Caller("token1")):
        pass
    (order,) = jobs.wanted
    assert isinstance(order.request, ChatRequest)
    assert [(m.role, m.text) for m in order.request.messages] == [tuple(s[:2]) for s in said]
    assert (order.request.temperature, order.request.max_tokens) == (0.0, 80)
    assert (order.model, order.caller.client, order.cost) == ("m", "token1", 2.0)


@virtual
async def test_pictures_are_made_with_progress_and_out_of_others() -> None:
    async with shop() as there:
        await there.hire("image-1", AgentKind.IMAGE_GEN, Painter(1_000))
        request = ImageRequest(prompt="a robot", steps=2, count=2, width=64, height=64, seed=5)
        told = [part async for part in Inference(there.desk).image(request)]
        assert told[:-1] == [ImageProgress(image=0, step=n, steps=2) for n in (1, 2)]
        made = told[-1]
        assert isinstance(made, Made)
        assert made.pictures == (picture(1_000, 5), picture(1_000, 6))
        assert made.done.seeds == (5, 6)

    jobs = FakeJobs()
    made_of = (Picture(b"source", "image/png"), Picture(b"mask", "image/webp"))
    async for _ in Inference(jobs).image(request, *made_of):
        pass
    sent = jobs.wanted[0]
    assert isinstance(sent.request, ImageRequest)
    assert sent.request.source == BlobRef(index=0, size_bytes=6, media_type="image/png")
    assert sent.request.mask == BlobRef(index=1, size_bytes=4, media_type="image/webp")
    assert sent.blobs == (b"source", b"mask")


@virtual
async def test_a_recording_goes_to_stt_and_comes_back_stretch_by_stretch() -> None:
    jobs = FakeJobs()
    stretch = TranscribeSegment(start_ms=0, end_ms=900, text="hello")
    done = TranscribeDone(text="hello", language="en", audio_ms=1_000)
    jobs.facts = [JobFact(stretch), JobFact(done), JobFact(JobDone())]
    how = msgspec.structs.replace(PLAINLY, language="en", words=True)
    caller, model = Caller("token1"), "base.en"
    sound = Inference(jobs).transcribe(bytes(32_000), how, model=model, caller=caller)
    assert [told async for told in sound] == [stretch, done]
    (order,) = jobs.wanted
    assert (order.agent, order.model, order.caller) == (AgentKind.STT, model, caller)
    assert (order.blobs, order.cost) == ((bytes(32_000),), HEARD_S_PER_S)
    assert isinstance(order.request, TranscribeRequest)
    assert order.request.audio.size_bytes == 32_000
    assert (order.request.language, order.request.words) == ("en", True)


@virtual
async def test_a_recording_s_bytes_reach_the_engine_through_the_desk() -> None:
    pcm = said("hello robot", 16_000 * 20)
    async with shop() as there:
        service = Transcriptions(ScriptedRecogniser())
        await there.hire("stt-1", AgentKind.STT, service)
        told = [each async for each in Inference(there.desk).transcribe(pcm)]
    assert [each.text for each in told] == ["hello robot", "hello robot"]
    assert isinstance(told[-1], TranscribeDone)
    assert told[-1].audio_ms == 20_000


@virtual
async def test_a_question_with_one_answer_gives_that_answer() -> None:
    jobs = FakeJobs()
    box = Box(text="Save", x=1, y=2, width=3, height=4, confidence=0.5)
    jobs.facts = [JobFact(GroundDone(width=9, height=9, boxes=(box,)))]
    found = await Inference(jobs).ground(Picture(b"png"), "Save")
    assert found.boxes == (box,)
    ref = BlobRef(index=0, size_bytes=3, media_type="image/png")
    assert jobs.wanted[0].request == GroundRequest(picture=ref, name="Save")


@virtual
async def test_texts_are_sent_as_a_blob_and_vectors_come_as_one() -> None:
    jobs = FakeJobs()
    done = EmbedDone(vectors=BlobRef(index=0, size_bytes=16), count=2, dimensions=2)
    jobs.facts = [JobFact(done, (b"v" * 16,))]
    vectors = await Inference(jobs).embed(["eins", "zwölf"])
    assert (vectors.done, vectors.data) == (done, b"v" * 16)
    assert json.loads(jobs.wanted[0].blobs[0]) == ["eins", "zwölf"]


@virtual
async def test_what_a_robot_is_to_remember_is_not_told_twice() -> None:
    jobs = FakeJobs()
    jobs.facts = [JobFact(MemoryState(consent=True))]
    models, caller = Inference(jobs), Caller("token1", "r1")
    await models.note([{"tag": "ball", "category": "topic"}], caller)
    await models.recall(caller)
    assert [order.repeatable for order in jobs.wanted] == [False, True]
    assert {order.caller.robot for order in jobs.wanted} == {"r1"}


@virtual
async def test_a_job_that_ends_without_its_answer_is_an_error() -> None:
    jobs = FakeJobs()
    jobs.facts = [JobFact(JobDone()), JobFact(ImageDone(images=(), seeds=(), width=1, height=1))]
    with pytest.raises(JobError) as missing:
        await Inference(jobs).retrieve("base", "query")
    assert missing.value.code == "no_answer"


@virtual
async def test_documents_are_listed_of_a_base_and_bases_of_all() -> None:
    jobs = FakeJobs()
    jobs.facts = [JobFact(DocumentsListed(base="zoo", more=True))]
    models = Inference(jobs)
    assert (await models.list_documents("zoo", "a.md", 5)).more
    await models.list_documents()
    assert [order.request for order in jobs.wanted] == [
        DocumentsList(base="zoo", after="a.md", limit=5),
        DocumentsList(),
    ]
