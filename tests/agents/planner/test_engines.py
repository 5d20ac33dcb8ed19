import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agents.planner.backends.auto import RETRY_S, OnceItStarts
from agents.planner.backends.scripted import ScriptedPlanner
from agents.planner.engines import chosen
from agents.planner.settings import PlannerSettings
from agents.runtime.errors import BackendUnavailable
from tests.fakes.openai_server import OpenAiServer


def settings(**fields: Any) -> PlannerSettings:
    alone = {"base_url": "", "api_key": "", "model": "", "role": "primary"}
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


def test_without_a_server_auto_is_the_reflex_planner() -> None:
    assert chosen(settings(backend="auto")).name == "reflex"


def test_the_standing_second_planner_is_the_reflex_planner_whatever_is_chosen() -> None:
    assert chosen(settings(backend="openai", role="reflex")).name == "reflex"
    assert chosen(settings(backend="vllm", role="reflex")).name == "reflex"


@pytest.mark.parametrize("name", ["vllm", "ollama", "transformers"])
def test_engines_that_are_not_built_yet_are_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(BackendUnavailable, match=f"LLM_BACKEND={name} is not part of this build"):
        chosen(settings(backend=name))


def test_a_server_without_an_address_is_refused_in_one_sentence() -> None:
    with pytest.raises(BackendUnavailable, match="needs OPENAI_BASE_URL"):
        chosen(settings(backend="openai"))


async def test_auto_takes_the_server_that_answers() -> None:
    async with OpenAiServer() as server:
        planner = chosen(settings(backend="auto", base_url=server.base_url))
        await planner.start()
        assert planner.name == "openai"
        await planner.close()


async def test_auto_takes_the_reflex_planner_if_the_server_does_not_answer() -> None:
    async with OpenAiServer() as server:
        gone = server.base_url
    planner = chosen(settings(backend="auto", base_url=gone))
    await planner.start()
    assert planner.name == "reflex"
    await planner.close()


async def test_a_server_that_is_named_is_waited_for() -> None:
    planner = ComesUpLate(failures=3)
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    await OnceItStarts(planner, wait).start()
    assert waits == [RETRY_S] * 3


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://x/v1", "http://", "nonsense"])
def test_an_address_that_is_none_is_refused_by_the_settings(address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        settings(base_url=address)


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
