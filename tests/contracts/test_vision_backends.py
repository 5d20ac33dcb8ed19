"""What every engine that answers chats about pictures keeps, whatever it sees with."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import pytest

from agents.engines.language.anthropic import AnthropicModel
from agents.engines.language.anthropic import Server as AnthropicAddress
from agents.engines.language.base import ChatMessage, LanguageModel, Picture, Prompt
from agents.engines.language.failover import Failover
from agents.engines.language.ollama import OllamaModel
from agents.engines.language.ollama import Server as OllamaAddress
from agents.engines.language.openai import OpenAiModel
from agents.engines.language.openai import Server as OpenAiAddress
from agents.runtime.errors import AgentError
from agents.runtime.slot import About, EngineSlot
from agents.vision.agent import Chats
from agents.vision.backends.embedded import NO_MODEL, EmbeddedModel
from agents.vision.backends.scripted import ScriptedFinder, ScriptedModel, ScriptedReader
from agents.vision.backends.seeing import SeeingModel, red_square
from agents.vision.engines import Tools
from agents.vision.slotted import SlottedEyes
from protocols.messages.chat import ChatDelta, ChatDone, ChatEntry, ChatRequest
from tests.agents.vision.asking import asked, ref
from tests.agents.vision.screens import plain
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.anthropic_server import Behaviour as AnthropicBehaviour
from tests.fakes.engines import running
from tests.fakes.ollama_server import Behaviour as OllamaBehaviour
from tests.fakes.ollama_server import OllamaServer
from tests.fakes.openai_server import Behaviour as OpenAiBehaviour
from tests.fakes.openai_server import OpenAiServer

pytest.importorskip("PIL", reason="robot-hub[vision] is not installed")

PIECES = ('{"colour": ', '"red"}')
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
RED = plain("red")
ENTRIES = {
    "a question": (ChatEntry(role="user", text="What is it?", pictures=(ref(RED),)),),
    "only a picture": (ChatEntry(role="user", text="", pictures=(ref(RED),)),),
    "no picture": (ChatEntry(role="user", text="Are you there?"),),
    "a past": (
        ChatEntry(role="system", text="Be short."),
        ChatEntry(role="user", text="What is it?", pictures=(ref(RED),)),
        ChatEntry(role="assistant", text="A square."),
        ChatEntry(role="user", text="Which colour?"),
    ),
    "control characters": (
        ChatEntry(role="user", text="\x00\x1b[31m\n 你好 🤖", pictures=(ref(RED),)),
    ),
}

Engine = Callable[[], AbstractAsyncContextManager[LanguageModel]]


@asynccontextmanager
async def scripted() -> AsyncIterator[LanguageModel]:
    yield ScriptedModel([PIECES] * 8)


@asynccontextmanager
async def embedded() -> AsyncIterator[LanguageModel]:
    yield EmbeddedModel(ScriptedReader(), ScriptedFinder())


@asynccontextmanager
async def openai() -> AsyncIterator[LanguageModel]:
    async with OpenAiServer(OpenAiBehaviour(pieces=PIECES)) as server:
        yield OpenAiModel(OpenAiAddress(server.base_url))


@asynccontextmanager
async def ollama() -> AsyncIterator[LanguageModel]:
    async with OllamaServer(OllamaBehaviour(pieces=PIECES), models=("llava:7b",)) as server:
        yield OllamaModel(OllamaAddress(server.url, "", family="llava"))


@asynccontextmanager
async def anthropic() -> AsyncIterator[LanguageModel]:
    async with AnthropicServer(AnthropicBehaviour(pieces=PIECES)) as server:
        yield AnthropicModel(AnthropicAddress("key", server.url))


@asynccontextmanager
async def failover() -> AsyncIterator[LanguageModel]:
    """A hosted server that is gone, one that is overloaded, and a local one that works."""
    async with OpenAiServer() as gone:
        pass
    overloaded = AnthropicServer(AnthropicBehaviour(), AnthropicBehaviour(fails_after=0))
    local = OllamaServer(OllamaBehaviour(pieces=PIECES), models=("llava:7b",))
    async with overloaded as hosted, local as near:
        yield Failover(
            [
                SeeingModel(OpenAiModel(OpenAiAddress(gone.base_url, "eyes"))),
                SeeingModel(AnthropicModel(AnthropicAddress("key", hosted.url))),
            ],
            standby=[SeeingModel(OllamaModel(OllamaAddress(near.url, "", family="llava")))],
        )


ENGINES: Sequence[Engine] = (scripted, embedded, openai, ollama, anthropic, failover)
"""Transformers joins them in ``tests/engines``, with the smallest weights that it can load."""


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.__name__)
async def model(request: pytest.FixtureRequest) -> AsyncIterator[LanguageModel]:
    async with request.param() as model:
        await model.start()
        yield model
        await model.close()


@pytest.mark.parametrize("said", ENTRIES)
async def test_every_chat_gets_its_text_and_one_end(model: LanguageModel, said: str) -> None:
    request = ChatRequest(messages=ENTRIES[said], max_tokens=24)
    *deltas, done = await asked(Chats(model), request, RED)
    assert deltas
    assert all(isinstance(message, ChatDelta) and message.text for message in deltas)
    assert isinstance(done, ChatDone)
    assert done.finish_reason in ("stop", "length")
    assert done.model == model.model


async def test_a_schema_is_obeyed_or_refused_by_its_code(model: LanguageModel) -> None:
    request = ChatRequest(messages=ENTRIES["a question"], schema=SCHEMA, max_tokens=200)
    try:
        *deltas, _ = await asked(Chats(model), request, RED)
    except AgentError as error:
        assert (model.name, error.code) == ("embedded", NO_MODEL)  # noqa: PT017 - one of two ends
        return
    answer = json.loads("".join(m.text for m in deltas if isinstance(m, ChatDelta)))
    assert list(answer) == ["colour"]


async def test_an_answer_that_is_left_can_be_followed_by_another(model: LanguageModel) -> None:
    prompt = Prompt([ChatMessage("user", "tell me", (red_square(),))], max_tokens=24)
    async with aclosing(model.write(prompt)) as pieces:
        assert await anext(pieces)
    request = ChatRequest(messages=ENTRIES["a question"], max_tokens=24)
    assert len(await asked(Chats(model), request, RED)) >= 2


async def test_it_passes_the_self_test(model: LanguageModel) -> None:
    await SeeingModel(model).start()


async def test_it_can_say_what_it_is(model: LanguageModel) -> None:
    assert model.name
    assert model.where
    assert model.capacity >= 1
    assert isinstance(model.model, str)


async def test_an_answer_through_a_slot_is_the_engines() -> None:
    engine = ScriptedModel([PIECES], model="eyes")
    slot: EngineSlot[LanguageModel] = EngineSlot(
        engine, lambda _: engine, lambda model: About(model.name, model.capacity, model.model)
    )
    eyes = SlottedEyes(slot, Tools(ScriptedReader(), ScriptedFinder()))
    async with running(slot):
        await eyes.start()
        *deltas, done = await asked(Chats(eyes), ChatRequest(messages=ENTRIES["a question"]), RED)
    assert [m.text for m in deltas if isinstance(m, ChatDelta)] == list(PIECES)
    assert isinstance(done, ChatDone)
    assert done.model == "eyes"


def test_the_picture_of_the_self_test_is_one() -> None:
    from agents.engines.pictures import decode

    assert isinstance(red_square(), Picture)
    assert decode(red_square().data).getpixel((0, 0)) == (208, 16, 16)
