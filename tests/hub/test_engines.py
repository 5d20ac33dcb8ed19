"""What the hub says of engines agrees with what agents do."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest

from agents.planner.engines import chosen as chosen_planner
from agents.planner.settings import PlannerSettings
from agents.stt.settings import SttSettings
from agents.tts.engines import chosen as chosen_voice
from agents.tts.settings import TtsSettings
from hub.engines import ENGINES, OPTIONAL, check_engines
from hub.errors import EngineMissing
from protocols.messages.agent import AgentKind

AUTO = {"STT_BACKEND": "auto", "LLM_BACKEND": "auto", "TTS_BACKEND": "auto"}


def names_of(settings: type[PlannerSettings] | type[SttSettings] | type[TtsSettings]) -> set[str]:
    return set(get_args(settings.model_fields["backend"].annotation))


def test_every_planner_that_its_agent_knows_is_built() -> None:
    assert set(ENGINES[AgentKind.PLANNER][1]) == names_of(PlannerSettings)


@pytest.mark.parametrize("name", sorted(names_of(PlannerSettings) - OPTIONAL.keys()))
def test_a_planner_that_needs_no_extra_is_taken_by_hub_and_agent(name: str) -> None:
    check_engines(("planner",), {**AUTO, "LLM_BACKEND": name})
    chosen_planner(
        PlannerSettings(bus_dir=Path("/b"), backend=name, base_url="http://h/v1")  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_engine_whose_library_is_missing_names_what_to_install(name: str) -> None:
    module, wanted = OPTIONAL[name]
    kind = next(kind for kind, (_, names) in ENGINES.items() if name in names)
    asked = {**AUTO, ENGINES[kind][0]: name}
    if find_spec(module) is not None:
        check_engines((kind,), asked)
    else:
        with pytest.raises(EngineMissing, match=re.escape(f"is not installed; install {wanted}")):
            check_engines((kind,), asked)


def test_every_voice_that_its_agent_knows_is_built() -> None:
    assert set(ENGINES[AgentKind.TTS][1]) == names_of(TtsSettings)


@pytest.mark.parametrize("name", sorted(names_of(TtsSettings) - {"orpheus", "kokoro"}))
def test_a_voice_that_needs_no_model_is_taken_by_hub_and_agent(name: str) -> None:
    check_engines(("tts",), {**AUTO, "TTS_BACKEND": name})
    chosen_voice(
        TtsSettings(bus_dir=Path("/b"), backend=name, tts_base_url="http://h/v1")  # type: ignore[arg-type]
    )


def test_every_recogniser_that_its_agent_knows_is_built() -> None:
    assert set(ENGINES[AgentKind.STT][1]) == names_of(SttSettings)


def test_an_engine_that_nobody_would_use_is_not_missed() -> None:
    check_engines(("ears", "planner:reflex"), {**AUTO, "LLM_BACKEND": "vllm"})


@pytest.mark.parametrize(
    ("agents", "setting"),
    [(("stt",), "STT_BACKEND"), (("planner:second",), "LLM_BACKEND"), (("tts",), "TTS_BACKEND")],
)
def test_a_missing_engine_is_named_with_its_setting(agents: tuple[str, ...], setting: str) -> None:
    with pytest.raises(EngineMissing, match=f"{setting}=abacus is not part of this build; use "):
        check_engines(agents, {**AUTO, setting: "abacus"})
