"""Chats of programs: what the model is asked, what comes of it, and who has none."""

import asyncio

import pytest

from agents.engines.language.base import ChatMessage
from agents.planner.agent import MAX_CHAT_CHARS, Chats
from agents.planner.backends.reflex import ReflexPlanner
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.planner.model_planner import ModelPlanner
from agents.runtime.errors import AgentError, BackendTimeout, BackendUnavailable
from protocols.envelope import Message
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone, ChatEntry, ChatRequest
from protocols.messages.job import JobDone
from tests.fakes.language_model import FakeLanguageModel, Writing
from tests.fakes.two_lists import ListInbox, Outbox, served
from tests.virtual_time import virtual


def said(*entries: tuple[str, str], **how: object) -> ChatRequest:
    messages = tuple(ChatEntry(role=role, text=text) for role, text in entries)
    return ChatRequest(messages=messages, **how)  # type: ignore[arg-type]


async def test_a_chat_is_gone_on_with_as_the_model_writes_it() -> None:
    model = FakeLanguageModel(Writing(("It ", "", "is.")))
    request = said(
        ("system", "be brief"), ("user", "is it?"), ("assistant", "?"), ("tool", "yes"),
        temperature=0.0, top_p=0.5, max_tokens=9, stop=("\n",), seed=4,
    )  # fmt: skip
    messages = await served(Chats(ModelPlanner(model)), request)
    assert messages[:2] == [ChatDelta(text="It "), ChatDelta(text="is.")]
    (prompt,) = model.prompts
    assert prompt.messages == [
        ChatMessage("system", "be brief"),
        ChatMessage("user", "is it?"),
        ChatMessage("assistant", "?"),
        ChatMessage("user", "yes"),
    ]
    asked = (prompt.temperature, prompt.top_p, prompt.max_tokens, prompt.stop, prompt.seed)
    assert asked == (0.0, 0.5, 9, ("\n",), 4)
    assert not prompt.is_plan


async def test_the_end_says_how_it_ended_and_what_was_counted() -> None:
    planner = ScriptedPlanner(model="small")
    messages: list[Message] = await served(Chats(planner), said(("user", "say this again")))
    assert messages == [
        ChatDelta(text="say"),
        ChatDelta(text=" this"),
        ChatDelta(text=" again"),
        ChatDone(model="small", prompt_tokens=3, completion_tokens=3),
        JobDone(),
    ]


async def test_a_schema_reaches_the_engine_and_its_rules() -> None:
    model = FakeLanguageModel(Writing(("{}",)))
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    await served(Chats(ModelPlanner(model)), said(("user", "an object"), schema=schema))
    (prompt,) = model.prompts
    assert prompt.schema is not None
    assert prompt.schema.schema == schema
    assert '"integer"' in prompt.messages[0].text


async def test_a_text_without_end_is_cut_off() -> None:
    flood = Writing(("x" * 100_000,) * 9)
    messages = await served(Chats(ModelPlanner(FakeLanguageModel(flood))), said(("user", "?")))
    written = sum(len(m.text) for m in messages if isinstance(m, ChatDelta))
    assert written < MAX_CHAT_CHARS + 100_001
    assert ChatDone(finish_reason="length", model="small") in messages


PICTURE = ChatEntry(role="user", text="?", pictures=(BlobRef(index=0, size_bytes=1),))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (said(), "bad_chat"),
        (said(("system", "be brief")), "bad_chat"),
        (ChatRequest(messages=(PICTURE,)), "bad_chat"),
        (said(("user", "?"), schema={"enum": ["x" * 70_000]}), "bad_schema"),
    ],
    ids=["nothing", "nobody", "a_picture", "a_huge_schema"],
)
async def test_what_cannot_be_gone_on_with_is_refused(request_: ChatRequest, code: str) -> None:
    with pytest.raises(AgentError) as refused:
        await served(Chats(ScriptedPlanner()), request_)
    assert refused.value.code == code


async def test_rules_are_no_language_model_and_say_so() -> None:
    with pytest.raises(BackendUnavailable, match="no language model"):
        await served(Chats(ReflexPlanner()), said(("user", "hello")))


async def test_a_model_that_fails_fails_the_chat_with_its_code() -> None:
    script = Script(("One",), error=BackendTimeout("too slow"))
    service = Chats(ScriptedPlanner([script]))
    inbox, outbox = ListInbox(said(("user", "count"))), Outbox(service)
    with pytest.raises(BackendTimeout):
        await service.serve(inbox, outbox)
    assert outbox.messages == [ChatDelta(text="One")]


@virtual
async def test_a_cancelled_chat_leaves_the_engine() -> None:
    planner = ScriptedPlanner([Script(("one", "two"), pause_s=1.0)])
    service = Chats(planner)
    outbox = Outbox(service)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await service.serve(ListInbox(said(("user", "count"))), outbox)
    assert outbox.messages == [ChatDelta(text="one")]
    assert (planner.opened, planner.closed) == (1, 1)
