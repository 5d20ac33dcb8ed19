"""Which engines are tried, and what a trial says of them."""

from typing import get_args

import pytest

from agents.ears.settings import EarsSettings
from agents.recorder.settings import RecorderSettings
from hub.trials import EARS, RECORDER, Ended, Row, Trial, all_work, row_of, trials_of
from protocols.trial import Stage, TrialReport, TrialStep, decode_line, encode_line

STT = Trial("stt", "STT_BACKEND", "faster_whisper")
AUTO = Trial("planner", "LLM_BACKEND", "auto")


def tried(*agents: str, everything: bool = False, **chosen: str) -> list[tuple[str, str, bool]]:
    trials = trials_of(agents, chosen, everything=everything)
    return [(trial.agent, trial.engine, trial.is_configured) for trial in trials]


def test_each_agent_is_tried_with_the_engine_of_its_setting() -> None:
    assert tried("ears", "stt", "planner", "planner:reflex", "tts", STT_BACKEND="pocketsphinx") == [
        ("ears", "auto", True),
        ("stt", "pocketsphinx", True),
        ("planner", "auto", True),
        ("planner:reflex", "reflex", True),
        ("tts", "auto", True),
    ]


def test_a_voice_that_is_switched_off_is_not_tried() -> None:
    assert tried("tts", TTS_BACKEND="off") == []


def test_with_everything_each_engine_is_tried_once_and_no_fake() -> None:
    trials = tried("stt", "recorder", everything=True, STT_BACKEND="pocketsphinx")

    assert len({(agent, engine) for agent, engine, _ in trials}) == len(trials)
    engines = {engine for _, engine, configured in trials if not configured}
    assert {"silero", "faster_whisper", "openai", "vllm", "ollama", "espeak", "mcap"} <= engines
    assert engines.isdisjoint({"scripted", "auto", "off"})


def test_an_engine_that_is_not_configured_is_told_to_its_process() -> None:
    assert STT.environment == {}
    assert STT._replace(is_configured=False).environment == {"STT_BACKEND": "faster_whisper"}
    assert Trial("planner:reflex", "", "reflex").environment == {"HUB_AGENT_ROLE": "reflex"}


def test_the_names_of_engines_are_those_that_agents_know() -> None:
    for (setting, names), settings in ((EARS, EarsSettings), (RECORDER, RecorderSettings)):
        field = settings.model_fields["backend"]
        assert field.validation_alias == setting
        assert set(names) == set(get_args(field.annotation)) - {"auto", "scripted"}


@pytest.mark.parametrize(
    ("trial", "report", "present", "note", "engine"),
    [
        (STT, {"note": "heard “hello”"}, True, "heard “hello”", "faster_whisper"),
        (STT, {"reason": "you said so"}, True, "", "faster_whisper"),
        (AUTO, {"backend": "reflex", "reason": "no model"}, True, "no model", "auto → reflex"),
        (STT, {"drops": {"b": 2, "a": 1}}, True, "counted a 1, b 2", "faster_whisper"),
    ],
)
def test_a_trial_that_goes_well_is_an_engine_that_works(
    trial: Trial, report: dict[str, object], present: bool, note: str, engine: str
) -> None:
    done = TrialReport(stage=Stage.DONE, load_s=1.5, answer_ms=20, memory_mib=60, **report)  # type: ignore[arg-type]

    row = row_of(trial, Ended(done), 60)

    assert (row.works, row.present, row.note, row.engine) == (True, present, note, engine)
    assert (row.loads_s, row.answer_ms, row.memory_mib) == (1.5, 20, 60)


@pytest.mark.parametrize(
    ("stage", "code", "present"),
    [
        (Stage.CHOICE, "backend_unavailable", False),
        (Stage.LOAD, "backend_unavailable", False),
        (Stage.LOAD, "llm_model_missing", False),
        (Stage.LOAD, "llm_out_of_memory", True),
        (Stage.LOAD, "crashed", True),
        (Stage.ANSWER, "llm_nonsense", True),
        (Stage.ANSWER, "backend_unavailable", True),
    ],
)
def test_a_trial_that_fails_says_why_and_whether_the_engine_is_there(
    stage: Stage, code: str, present: bool
) -> None:
    row = row_of(STT, Ended(TrialReport(stage=stage, code=code, error="it broke")), 60)

    assert (row.works, row.present, row.note) == (False, present, "it broke")
    assert row.loads_s is None


LOADING = TrialStep(stage=Stage.LOAD)
PULLING = TrialStep(stage=Stage.LOAD, step="downloading a model")
ASKED = TrialStep(stage=Stage.ANSWER)


@pytest.mark.parametrize(
    ("ended", "present", "note"),
    [
        (Ended(None, ASKED, None), True, "not done after 60 s while it was asked"),
        (Ended(None, PULLING, None), True, "not done after 60 s, downloading a model"),
        (Ended(None, LOADING, -11), True, "its process ended by SIGSEGV while it loaded"),
        (Ended(None, LOADING, -9, "Killed."), True, "its process ended by SIGKILL while it loaded: Killed."),
        (Ended(None, LOADING, -99), True, "its process ended by signal 99 while it loaded"),
        (Ended(None, None, 1, "No module"), None, "its process ended with status 1 before it began: No module"),
    ],
)  # fmt: skip
def test_a_process_that_reports_nothing_is_a_row_all_the_same(
    ended: Ended, present: bool | None, note: str
) -> None:
    row = row_of(STT, ended, 60)

    assert (row.works, row.present, row.note) == (False, present, note)


def test_only_what_is_configured_must_work() -> None:
    works, fails = (
        Row("stt", "x", "", True, None, None, None, "", is_fine, is_configured=True)
        for is_fine in (True, False)
    )

    assert all_work([works, fails._replace(is_configured=False)])
    assert not all_work([works, fails])
    assert all_work([])


@pytest.mark.parametrize(
    "line", [PULLING, TrialReport(stage=Stage.DONE, note="“ü”", drops={"a": 1})]
)
def test_a_line_is_read_as_it_was_written(line: TrialStep | TrialReport) -> None:
    data = encode_line(line)

    assert data.count(b"\n") == 1
    assert decode_line(data) == line


@pytest.mark.parametrize(
    "noise", [b"", b"\n", b"loading...\n", b"{}\n", b'{"type": "cake"}\n', b"\xff\n"]
)
def test_what_engines_print_is_no_line(noise: bytes) -> None:
    assert decode_line(noise) is None
