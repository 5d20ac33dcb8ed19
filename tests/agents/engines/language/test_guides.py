"""Forms that a text is held to, and how long it may take: asked of every engine, or refused."""

from contextlib import aclosing

import pytest

from agents.engines.language import anthropic, ollama, openai
from agents.engines.language.base import ChatMessage, Ending, LanguageModel, Prompt
from agents.engines.language.requests import MAX_GUIDE_CHARS, check, prompt_for
from agents.runtime.errors import AgentError, BackendTimeout
from protocols.messages.chat import ChatEntry, ChatRequest, Guide
from tests.fakes.openai_server import Behaviour, OpenAiServer

PHONE = Guide(kind="regex", text=r"\d{3}-\d{4}")
NOBODY = "http://127.0.0.1:9"

SERVERS = (
    openai.OpenAiModel(openai.Server(f"{NOBODY}/v1", "tiny")),
    ollama.OllamaModel(ollama.Server(NOBODY, "tiny")),
    anthropic.AnthropicModel(anthropic.Server("key", NOBODY, "tiny")),
)


def chat(**how: object) -> ChatRequest:
    return ChatRequest(messages=(ChatEntry(role="user", text="call me"),), **how)  # type: ignore[arg-type]


def unheard(_: Ending) -> None: ...


@pytest.mark.parametrize("model", SERVERS, ids=lambda model: model.name)
async def test_servers_refuse_a_guide_before_they_ask_anybody(model: LanguageModel) -> None:
    prompt = Prompt([ChatMessage("user", "x")], guide=PHONE)
    with pytest.raises(AgentError, match="cannot hold a text to a regex") as refused:
        async with aclosing(model.write(prompt)) as pieces:
            await anext(pieces)
    assert refused.value.code == "guide_unsupported"


def test_a_guide_reaches_the_engine_and_stands_in_its_rules() -> None:
    request = chat(guide=PHONE, timeout_s=9.0)
    check(request)

    prompt = prompt_for(request, [ChatMessage("user", "call me")], unheard)

    assert (prompt.guide, prompt.schema, prompt.timeout_s) == (PHONE, None, 9.0)
    assert prompt.messages[0].role == "system"
    assert PHONE.text in prompt.messages[0].text


@pytest.mark.parametrize(
    ("guide", "schema"),
    [
        (Guide(kind="poem", text="a"), None),
        (Guide(kind="regex", text="  "), None),
        (Guide(kind="grammar", text="a\0b"), None),
        (Guide(kind="grammar", text="a" * (MAX_GUIDE_CHARS + 1)), None),
        (PHONE, {"type": "object"}),
    ],
)
def test_a_guide_that_is_none_is_refused(guide: Guide, schema: dict[str, str] | None) -> None:
    with pytest.raises(AgentError) as refused:
        check(chat(guide=guide, schema=schema))
    assert refused.value.code == "bad_guide"


async def test_a_text_may_take_as_long_as_its_prompt_says() -> None:
    prompt = Prompt([ChatMessage("user", "x")], timeout_s=0.05)
    async with OpenAiServer(Behaviour(hangs_after=0)) as server:
        model = openai.OpenAiModel(openai.Server(server.base_url, "tiny", timeout_s=60.0))
        try:
            with pytest.raises(BackendTimeout):
                async with aclosing(model.write(prompt)) as pieces:
                    await anext(pieces)
        finally:
            await model.close()
