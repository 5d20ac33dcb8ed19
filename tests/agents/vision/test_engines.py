"""Which engine sees, and what is said of it."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from agents.engines.language.base import ChatMessage, Prompt
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.slot import EngineSlot
from agents.vision.backends.scripted import ScriptedFinder, ScriptedReader
from agents.vision.engines import Tools, chosen
from agents.vision.settings import VisionSettings
from agents.vision.slotted import SPARE, SlottedEyes, eyes_for
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.anthropic_server import Behaviour as AnthropicBehaviour
from tests.fakes.engines import running
from tests.fakes.ollama_server import Behaviour as OllamaBehaviour
from tests.fakes.ollama_server import OllamaServer
from tests.fakes.openai_server import Behaviour as OpenAiBehaviour
from tests.fakes.openai_server import OpenAiServer

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""
SAID = OpenAiBehaviour(pieces=("openai",))
ASKED = Prompt([ChatMessage("user", "what do you see?")])


def settings(**fields: Any) -> VisionSettings:
    alone = {
        "backend": "auto", "base_url": "", "api_key": "", "model": "", "openai_model": "",
        "anthropic_api_key": "", "anthropic_base_url": NOWHERE, "ollama_url": NOWHERE,
        "hf_model": "/nowhere/model",
    }  # fmt: skip
    return VisionSettings(bus_dir=Path("/nowhere"), _env_file=None, **(alone | fields))  # type: ignore[call-arg]


def tools() -> Tools:
    return Tools(ScriptedReader(), ScriptedFinder())


@asynccontextmanager
async def eyes(**fields: Any) -> AsyncIterator[tuple[SlottedEyes, EngineSlot[Any]]]:
    made, slot = eyes_for(settings(**fields), tools())
    async with running(slot):
        await made.start()
        yield made, slot


async def written(made: SlottedEyes) -> str:
    async with aclosing(made.write(ASKED)) as pieces:
        return "".join([piece async for piece in pieces])


async def test_auto_asks_hosted_servers_in_auraos_order() -> None:
    async with OpenAiServer(SAID) as openai, AnthropicServer() as anthropic, OllamaServer() as near:
        named = {
            "base_url": openai.base_url,
            "anthropic_base_url": anthropic.url,
            "anthropic_api_key": "key",
            "ollama_url": near.url,
        }
        async with eyes(**named) as (made, slot):
            assert await written(made) == "openai"
            assert slot.about.backend == "openai"
            assert slot.about.info["reason"] == (
                f"pictures go to {openai.base_url}, then to {anthropic.url}"
            )
            assert slot.about.capacity > SPARE
    assert len(anthropic.requests) == 1  # the self-test
    assert near.requests == []


async def test_the_self_test_shows_a_picture() -> None:
    async with OpenAiServer(SAID) as openai, eyes(base_url=openai.base_url):
        pass
    (asked,) = openai.requests
    assert asked["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/png;")


async def test_a_hosted_server_that_fails_is_followed_by_the_next_and_at_last_by_the_local_one() -> (
    None
):
    failing = (OpenAiBehaviour(), OpenAiBehaviour(status=503))
    overloaded = (AnthropicBehaviour(), AnthropicBehaviour(), AnthropicBehaviour(status=529))
    local = OllamaBehaviour(pieces=("ollama",))
    async with (
        OpenAiServer(*failing) as openai,
        AnthropicServer(*overloaded) as anthropic,
        OllamaServer(local, models=("llama3:8b", "llava:13b")) as near,
        eyes(
            base_url=openai.base_url,
            anthropic_base_url=anthropic.url,
            anthropic_api_key="key",
            ollama_url=near.url,
        ) as (made, _),
    ):
        assert await written(made) == "It is a red square."
        assert near.requests == []
        assert await written(made) == "ollama"
        assert made.model == "llava:13b"


async def test_a_server_of_text_is_passed_over() -> None:
    async with (
        OpenAiServer(OpenAiBehaviour(status=400)) as blind,
        OllamaServer(OllamaBehaviour(pieces=("ollama",)), models=("llava:7b",)) as near,
        eyes(base_url=blind.base_url, ollama_url=near.url) as (made, slot),
    ):
        assert await written(made) == "ollama"
        assert slot.about.info["reason"].startswith(f"{near.url} has a model that sees; anthropic:")
        assert "the server answered 400" in slot.about.info["reason"]


async def test_with_nothing_to_be_had_it_is_embedded_and_says_why() -> None:
    async with eyes() as (made, slot):
        about = slot.about
        assert "I was shown no picture" in await written(made)
    assert (about.backend, about.model) == ("embedded", "")
    reason = about.info["reason"]
    assert reason.startswith("no vision model can be had; ollama: ")
    for lack in ("transformers: ", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY"):
        assert lack in reason


async def test_ollama_without_a_model_that_sees_is_passed_over() -> None:
    async with OllamaServer(models=("llama3:8b",)) as near, eyes(ollama_url=near.url) as (_, slot):
        assert "it has no model whose name begins with 'llava'" in slot.about.info["reason"]
    assert near.requests == []


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        ("openai", "OPENAI_BASE_URL"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("transformers", "not installed|not on disk"),
    ],
)
def test_an_engine_that_cannot_be_is_refused_in_one_sentence(backend: str, why: str) -> None:
    with pytest.raises(BackendUnavailable, match=why):
        chosen(settings(backend=backend), tools())


async def test_a_server_that_is_named_and_away_does_not_keep_the_rest_from_working() -> None:
    async with AnthropicServer(AnthropicBehaviour()) as server:
        url = server.url
    named = {"backend": "anthropic", "anthropic_api_key": "key", "anthropic_base_url": url}
    with structlog.testing.capture_logs() as logs:
        async with eyes(**named) as (made, _):
            with pytest.raises(BackendUnavailable):
                await written(made)
    assert "vision_model_away" in {entry["event"] for entry in logs}


async def test_a_tool_that_is_not_installed_is_told_of_and_leaves_the_rest() -> None:
    class Missing(ScriptedReader):
        name = "rapidocr"

        async def start(self) -> None:
            raise BackendUnavailable("rapidocr is not installed; install robot-hub[vision]")

    made, slot = eyes_for(settings(backend="scripted"), Tools(Missing(), ScriptedFinder()))
    with structlog.testing.capture_logs() as logs:
        async with running(slot):
            await made.start()
            assert await written(made) == "0 pictures. what do you see?"
            assert "install robot-hub[vision]" in slot.about.info["rapidocr"]
    (told,) = [entry for entry in logs if entry["event"] == "tool_missing"]
    assert told["tool"] == "rapidocr"


async def test_a_model_is_switched_and_the_next_answer_is_its() -> None:
    async with eyes(backend="scripted", model="one") as (made, slot):
        await written(made)
        assert made.model == "one"
        await slot.switch("two")
        await written(made)
        assert made.model == "two"
        with pytest.raises(BackendUnavailable):
            await slot.switch("!three")
        assert made.model == "two"


async def test_embedded_has_no_models_to_choose_from() -> None:
    async with eyes(backend="embedded") as (_, slot):
        with pytest.raises(AgentError, match="no models to choose from"):
            await slot.switch("one")


def test_settings_are_read_by_all_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BUS_DIR", "/nowhere")
    monkeypatch.setenv("AURAOS_INFERENCE_BACKEND", "ollama")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://a/v1,http://b/v1#eyes")
    monkeypatch.setenv("OPENAI_API_KEY", "one,two")
    monkeypatch.setenv("OPENAI_MODEL", "gpt")
    read = VisionSettings(_env_file=None)  # type: ignore[call-arg]
    assert read.backend == "ollama"
    assert read.servers == [("http://a/v1", "gpt", "one"), ("http://b/v1", "eyes", "two")]
    assert (read.ollama_url, read.hf_model) == ("http://localhost:11434", "microsoft/Fara-7B")
    monkeypatch.setenv("VISION_BACKEND", "embedded")
    assert VisionSettings(_env_file=None).backend == "embedded"  # type: ignore[call-arg]


def test_an_agent_that_has_not_seen_anything_has_loaded_no_library_of_pictures() -> None:
    program = (
        "import sys, agents.vision.__main__;"
        "print([n for n in ('cv2', 'numpy', 'PIL', 'rapidocr', 'httpx', 'torch') if n in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
