"""What the hub says of engines agrees with what agents do."""

from pathlib import Path
from typing import get_args

import pytest

from agents.planner.engines import chosen as chosen_planner
from agents.planner.settings import PlannerSettings
from agents.runtime.errors import BackendUnavailable
from agents.stt.settings import SttSettings
from agents.tts.engines import chosen as chosen_voice
from agents.tts.settings import TtsSettings
from hub.engines import ENGINES, check_engines
from hub.errors import EngineMissing
from protocols.messages.agent import AgentKind

AUTO = {"STT_BACKEND": "auto", "LLM_BACKEND": "auto", "TTS_BACKEND": "auto"}


def names_of(settings: type[PlannerSettings] | type[SttSettings] | type[TtsSettings]) -> set[str]:
    return set(get_args(settings.model_fields["backend"].annotation))


@pytest.mark.parametrize("name", sorted(names_of(PlannerSettings)))
def test_a_planner_is_refused_early_if_its_agent_would_refuse_it(name: str) -> None:
    built = name in ENGINES[AgentKind.PLANNER][1]
    settings = PlannerSettings(bus_dir=Path("/b"), backend=name, base_url="http://h/v1")  # type: ignore[arg-type]
    if built:
        chosen_planner(settings)
    else:
        with pytest.raises(BackendUnavailable):
            chosen_planner(settings)


@pytest.mark.parametrize("name", sorted(names_of(TtsSettings)))
def test_a_voice_is_refused_early_if_its_agent_would_refuse_it(name: str) -> None:
    settings = TtsSettings(bus_dir=Path("/b"), backend=name)  # type: ignore[arg-type]
    if name in ENGINES[AgentKind.TTS][1]:
        chosen_voice(settings)
    else:
        with pytest.raises(BackendUnavailable):
            chosen_voice(settings)


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
