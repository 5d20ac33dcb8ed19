"""The jobs of vision, without a bus."""

import pytest

from agents.engines.language.requests import MAX_SCHEMA_DEPTH
from agents.runtime.blobs import BlobMissing, BlobTooLarge
from agents.runtime.errors import AgentError
from agents.vision.agent import MAX_ANSWER_CHARS, Chats, Detect, Ground
from agents.vision.backends.scripted import ScriptedFinder, ScriptedModel, ScriptedReader
from agents.vision.prompting import MAX_PICTURES
from agents.vision.seen import Line, Page, Scene, Word
from protocols.envelope import Message
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone, ChatEntry, ChatRequest
from protocols.messages.vision import Ball, DetectDone, DetectRequest, GroundDone, GroundRequest
from tests.agents.vision.asking import asked, ref
from tests.agents.vision.screens import plain

pytest.importorskip("PIL", reason="robot-hub[vision] is not installed")

RED = plain("red")
BALL = Ball(colour="red", x=1, y=2, radius=3, bearing_deg=4, confidence=0.5)


def chat(*pictures: BlobRef, **fields: object) -> ChatRequest:
    entry = ChatEntry(role="user", text="What is it?", pictures=pictures)
    return ChatRequest(messages=(entry,), **fields)  # type: ignore[arg-type]


def nested(levels: int) -> dict[str, object]:
    return {"properties": nested(levels - 1)} if levels else {}


async def failure(service: Chats | Ground | Detect, request: Message, *blobs: bytes) -> AgentError:
    with pytest.raises(AgentError) as caught:
        await asked(service, request, *blobs)
    return caught.value


async def test_a_chat_is_answered_in_pieces_and_ends_with_what_wrote_it() -> None:
    model = ScriptedModel(model="eyes")
    messages = await asked(Chats(model), chat(ref(RED)), RED)
    assert messages == [
        ChatDelta(text="1 pictures. "),
        ChatDelta(text="What is it?"),
        ChatDone(finish_reason="stop", model="eyes", prompt_tokens=1, completion_tokens=2),
    ]
    (prompt,) = model.prompts
    assert prompt.messages[0].pictures == (("image/png", RED),)


async def test_each_picture_stays_with_its_message_and_comes_whole() -> None:
    large = plain("blue", (900, 700), "BMP")
    request = ChatRequest(
        messages=(
            ChatEntry(role="system", text="Be short."),
            ChatEntry(role="user", text="one", pictures=(ref(RED, 0),)),
            ChatEntry(role="assistant", text="red"),
            ChatEntry(role="tool", text="found", pictures=(ref(large, 1), ref(RED, 2))),
        )
    )
    model = ScriptedModel()
    await asked(Chats(model), request, RED, large, RED)
    (prompt,) = model.prompts
    assert [(m.role, len(m.pictures)) for m in prompt.messages] == [
        ("system", 0), ("user", 1), ("assistant", 0), ("user", 2),
    ]  # fmt: skip
    assert [p.media_type for p in prompt.messages[3].pictures] == ["image/jpeg", "image/png"]


async def test_how_the_text_is_to_be_drawn_reaches_the_engine() -> None:
    model = ScriptedModel()
    fields = {"temperature": 0.0, "top_p": 0.5, "max_tokens": 7, "stop": ("END",), "seed": 3}
    await asked(Chats(model), chat(**fields))
    (prompt,) = model.prompts
    assert {name: getattr(prompt, name) for name in fields} == fields


async def test_a_schema_binds_the_engine_and_stands_in_the_rules() -> None:
    model = ScriptedModel()
    schema = {"type": "object", "properties": {"action": {"enum": ["click"]}}}
    await asked(Chats(model), chat(schema=schema))
    (prompt,) = model.prompts
    assert prompt.schema is not None
    assert prompt.schema.schema == schema
    assert prompt.messages[0].role == "system"
    assert '"click"' in prompt.messages[0].text


async def test_an_engine_that_never_ends_is_left() -> None:
    model = ScriptedModel([("x" * 1_000,) * 1_000])
    *deltas, done = await asked(Chats(model), chat())
    assert sum(len(m.text) for m in deltas if isinstance(m, ChatDelta)) <= MAX_ANSWER_CHARS + 1_000
    assert isinstance(done, ChatDone)
    assert done.finish_reason == "length"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ChatRequest(messages=()), "bad_chat"),
        (ChatRequest(messages=(ChatEntry(role="system", text="x"),)), "bad_chat"),
        (chat(*[ref(RED)] * (MAX_PICTURES + 1)), "too_many_pictures"),
        (chat(BlobRef(index=0, size_bytes=20 << 20), BlobRef(index=1, size_bytes=20 << 20)),
         "too_large"),
        (chat(BlobRef(index=0, size_bytes=20 << 20)), BlobTooLarge.code),
        (chat(schema=nested(MAX_SCHEMA_DEPTH + 1)), "bad_schema"),
        (chat(schema=nested(900)), "bad_schema"),
        (chat(schema={"enum": ["x" * 70_000]}), "bad_schema"),
        (chat(ref(RED + b"more")), BlobMissing.code),
    ],
    ids=["nothing", "only rules", "many pictures", "all bytes", "bytes of one", "deep",
         "very deep", "long", "cut short"],
)  # fmt: skip
async def test_what_cannot_be_asked_is_refused_with_its_code(
    request_: ChatRequest, code: str
) -> None:
    model = ScriptedModel()
    assert (await failure(Chats(model), request_, RED)).code == code
    assert model.prompts == []


async def test_what_is_no_picture_never_reaches_the_engine() -> None:
    model = ScriptedModel()
    error = await failure(Chats(model), chat(ref(b"<svg/>")), b"<svg/>")
    assert (error.code, model.prompts) == ("bad_picture", [])


async def test_an_engine_that_fails_is_the_jobs_failure() -> None:
    model = ScriptedModel(error=AgentError("broken", "llm_error"))
    assert (await failure(Chats(model), chat())).code == "llm_error"


async def test_a_name_is_looked_for_in_the_page_of_the_picture() -> None:
    page = Page(1280, 800, (Line(Word("Save", 10, 20, 50, 40, 0.9)),))
    (done,) = await asked(
        Ground(ScriptedReader(page)), GroundRequest(picture=ref(RED), name="save"), RED
    )
    assert isinstance(done, GroundDone)
    assert (done.width, done.height) == (1280, 800)
    assert [(box.text, box.x, box.y) for box in done.boxes] == [("Save", 30.0, 30.0)]


async def test_a_name_that_is_not_there_is_answered_by_no_place() -> None:
    request = GroundRequest(picture=ref(RED), name="Open")
    assert await asked(Ground(ScriptedReader(Page(64, 48))), request, RED) == [
        GroundDone(width=64, height=48)
    ]


async def test_balls_are_answered_with_the_size_they_are_measured_in() -> None:
    finder = ScriptedFinder(Scene(64, 48, (BALL,)))
    request = DetectRequest(picture=ref(RED), hfov_deg=80.0)
    assert await asked(Detect(finder), request, RED) == [
        DetectDone(width=64, height=48, balls=(BALL,))
    ]
    assert finder.asked == [(RED, 80.0)]


async def test_what_cannot_be_read_or_found_fails_its_job_alone() -> None:
    bad = AgentError("no", "bad_picture")
    ground, detect = Ground(ScriptedReader(bad)), Detect(ScriptedFinder(bad))
    assert (await failure(ground, GroundRequest(picture=ref(RED)), RED)).code == "bad_picture"
    assert (await failure(detect, DetectRequest(picture=ref(RED)), RED)).code == "bad_picture"
