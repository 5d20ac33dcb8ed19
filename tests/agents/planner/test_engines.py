"""Which engine is chosen, and what is said of it."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog

from agents.engines import on_disk
from agents.engines.language.base import ChatMessage, Prompt
from agents.engines.language.vllm import VllmModel
from agents.planner.__main__ import build
from agents.planner.backends.auto import RETRY_S, Candidate, FirstThatStarts, OnceItStarts
from agents.planner.backends.language import vllm
from agents.planner.backends.scripted import ScriptedPlanner
from agents.planner.engines import chosen
from agents.planner.settings import PlannerSettings
from agents.runtime.errors import BackendUnavailable
from tests.fakes.engines import running
from tests.fakes.ollama_server import Behaviour, OllamaServer
from tests.fakes.openai_server import OpenAiServer
from tests.virtual_time import virtual

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


def settings(**fields: Any) -> PlannerSettings:
    alone = {
        "base_url": "", "api_key": "", "model": "", "role": "primary",
        "ollama_url": NOWHERE, "ollama_model": "tiny", "hf_model": "/nowhere/model",
    }  # fmt: skip
    return PlannerSettings(bus_dir=Path("/nowhere"), _env_file=None, **(alone | fields))  # type: ignore[call-arg]


class ComesUpLate(ScriptedPlanner):
    """A planner whose server does not answer the first times."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self._failures = failures

    async def start(self) -> None:
        self._failures -= 1
        if self._failures >= 0:
            raise BackendUnavailable("connection refused")


async def pick(**fields: Any) -> tuple[str, str, str]:
    """The backend, the model and the reason of what ``auto`` takes."""
    agent = build(settings(backend="auto", **fields))
    assert agent.slot is not None
    async with running(agent.slot):
        await agent.backend.start()
        assert agent.loaded is not None
        capacity, model, info = agent.loaded()
        assert capacity > 0
    return agent.backend.name, model, info["reason"]


async def test_auto_takes_ollama_before_a_server_that_is_named() -> None:
    async with OllamaServer() as ollama, OpenAiServer() as openai:
        name, model, reason = await pick(ollama_url=ollama.url, base_url=openai.base_url)
    assert (name, model) == ("ollama", "tiny")
    assert reason == f"{ollama.url} answers and has tiny"
    assert len(ollama.requests) == 1
    assert openai.requests == []


async def test_auto_takes_the_server_if_ollama_has_not_the_model_and_pulls_none() -> None:
    async with OllamaServer(models=("other:7b",)) as ollama, OpenAiServer() as openai:
        name, model, reason = await pick(ollama_url=ollama.url, base_url=openai.base_url)
    assert (name, model) == ("openai", "tiny")
    assert reason.startswith(f"{openai.base_url} answers; ollama: ")
    assert "does not have the model tiny" in reason
    assert ollama.pulls == []


async def test_auto_passes_an_ollama_over_that_has_the_model_but_cannot_run_it() -> None:
    failing = Behaviour(status=500)
    async with OllamaServer(failing) as ollama, OpenAiServer() as openai:
        name, _, reason = await pick(ollama_url=ollama.url, base_url=openai.base_url)
    assert name == "openai"
    assert "the server answered 500" in reason


async def test_auto_takes_the_reflex_planner_if_nothing_else_can_work() -> None:
    async with OpenAiServer() as server:
        gone = server.base_url
    name, model, reason = await pick(base_url=gone)
    assert (name, model) == ("reflex", "")
    assert reason.startswith("no language model can be had; ollama: ")
    assert f"openai: {gone}" in reason
    assert "transformers: " in reason


async def test_without_a_server_auto_says_which_setting_would_name_one() -> None:
    *_, reason = await pick()
    assert "openai: no server is named by OPENAI_BASE_URL" in reason


async def test_what_was_picked_is_logged_once_with_its_reason() -> None:
    with structlog.testing.capture_logs() as logs:
        await pick()
    (picked,) = [entry for entry in logs if entry["event"] == "planner_chosen"]
    assert picked["backend"] == "reflex"
    assert picked["reason"].startswith("no language model can be had")


async def test_what_cannot_be_built_is_passed_over_like_what_cannot_start() -> None:
    def missing() -> ScriptedPlanner:
        raise BackendUnavailable("it is not installed")

    late, works = ComesUpLate(1), ScriptedPlanner()
    first = FirstThatStarts(
        [
            Candidate("a", missing, "a can"),
            Candidate("b", lambda: late, "b can"),
            Candidate("c", lambda: works, "c can"),
        ]
    )
    await first.start()
    assert first.reason == "c can; a: it is not installed; b: connection refused"


async def test_nothing_that_can_start_is_unavailable() -> None:
    first = FirstThatStarts([Candidate("a", lambda: ComesUpLate(1), "a can")])
    with pytest.raises(BackendUnavailable, match="a: connection refused"):
        await first.start()


def test_a_model_is_looked_for_on_disk_only(tmp_path: Path) -> None:
    assert not on_disk._on_disk(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert on_disk._on_disk(str(tmp_path))
    assert not on_disk._on_disk("nobody/has-this-model")
    assert not on_disk._on_disk("no name: at all//")


def test_the_standing_second_planner_is_the_reflex_planner_whatever_is_chosen() -> None:
    for backend in ("openai", "vllm", "auto"):
        choice = chosen(settings(backend=backend, role="reflex"))
        assert choice.planner.name == "reflex"
        assert choice.reason() == "it is the standing second planner"


@pytest.mark.parametrize(("backend", "name"), [("reflex", "reflex"), ("ollama", "ollama")])
def test_an_engine_that_is_named_says_so(backend: str, name: str) -> None:
    choice = chosen(settings(backend=backend))
    assert (choice.planner.name, choice.reason()) == (name, f"LLM_BACKEND={name}")


def test_a_server_without_an_address_is_refused_in_one_sentence() -> None:
    with pytest.raises(BackendUnavailable, match="needs OPENAI_BASE_URL"):
        chosen(settings(backend="openai"))


@pytest.mark.parametrize("warm_up", [True, False])
async def test_a_model_is_warmed_up_if_the_settings_say_so(warm_up: bool) -> None:
    async with OllamaServer() as server, AsyncExitStack() as stack:
        named = settings(backend="ollama", ollama_url=server.url, warmup_llm=warm_up)
        planner = chosen(named).planner
        stack.push_async_callback(planner.close)
        await planner.start()
    assert len(server.requests) == warm_up


async def test_a_server_that_is_named_is_waited_for() -> None:
    planner = ComesUpLate(failures=3)
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    await OnceItStarts(planner, wait).start()
    assert waits == [RETRY_S] * 3


@pytest.mark.parametrize(
    "address",
    ["localhost:8000", "ftp://x/v1", "http://", "nonsense", "http://a/v1,b", "http://a/v1#"],
)
def test_an_address_that_is_none_is_refused_by_the_settings(address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        settings(base_url=address)


def test_several_addresses_each_have_their_model_and_the_common_key() -> None:
    read = settings(
        base_url="http://a/v1, http://b:8000/v1#org/big,", model="small", api_key="secret"
    )
    assert read.servers == [
        ("http://a/v1", "small", "secret"),
        ("http://b:8000/v1", "org/big", "secret"),
    ]


def test_a_key_for_each_address_is_shown_to_that_address_only() -> None:
    read = settings(base_url="http://a/v1,http://b/v1", api_key=",secret")
    assert [key for _, _, key in read.servers] == ["", "secret"]


def test_as_many_keys_as_addresses_are_wanted() -> None:
    with pytest.raises(ValueError, match="2 keys for 3 addresses"):
        settings(base_url="http://a/v1,http://b/v1,http://c/v1", api_key="one,two")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("0s", True), ("5m", True), ("1h30m", True), ("-1", True), ("2.5", True), ("soon", False)],
)
def test_a_keep_alive_is_what_ollama_reads(text: str, is_one: bool) -> None:
    if is_one:
        assert settings(converse_keep_alive=text).converse_keep_alive == text
    else:
        with pytest.raises(ValueError, match="converse_keep_alive"):
            settings(converse_keep_alive=text)


def test_the_reflex_planner_loads_no_http_client() -> None:
    program = (
        "import sys, agents.planner.__main__, agents.planner.backends.reflex;"
        "sys.exit('httpx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_settings_are_read_from_both_families_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BUS_DIR", "/nowhere")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://openai.example/v1")
    monkeypatch.setenv("OPENAI_MODEL", "small")
    monkeypatch.setenv("LLM_BASE_URL", "http://llm.example:8000/v1")
    monkeypatch.setenv("LLM_BACKEND", "openai")
    read = PlannerSettings(_env_file=None)  # type: ignore[call-arg]
    assert (read.backend, read.base_url, read.model) == (
        "openai",
        "http://llm.example:8000/v1",
        "small",
    )


def test_settings_of_the_documents_have_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BUS_DIR", "/nowhere")
    monkeypatch.setenv("NUM_CTX", "1024")
    monkeypatch.setenv("AUTO_PULL_OLLAMA_MODEL", "0")
    read = PlannerSettings(_env_file=None)  # type: ignore[call-arg]
    assert (read.num_ctx, read.auto_pull) == (1024, False)
    assert (read.ollama_url, read.ollama_model) == ("http://localhost:11434", "qwen3:14b")
    assert (read.plan_timeout_s, read.pull_timeout_s, read.warmup_llm) == (5.0, 1800.0, True)


def test_what_vllm_is_told_of_its_devices_reaches_its_engine() -> None:
    model = vllm(settings(vllm_tensor_parallel_size=2, vllm_max_num_seqs=3))
    assert isinstance(model, VllmModel)
    options = model._engine.options
    assert (options.tensor_parallel_size, options.max_num_seqs) == (2, 3)


@virtual
async def test_scripts_take_as_long_and_as_many_as_the_settings_say() -> None:
    slow = settings(backend="scripted", scripted_capacity=3, scripted_pause_s=0.25)
    planner, loop = chosen(slow).planner, asyncio.get_running_loop()
    assert planner.capacity == 3
    began_s = loop.time()
    prompt = Prompt((ChatMessage("user", "one two three"),))
    assert "".join([piece async for piece in planner.chat(prompt)]) == "one two three"
    assert loop.time() - began_s == pytest.approx(0.75)
