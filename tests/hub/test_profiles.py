"""Which profile a machine gets, what that gives it, and what happens where it cannot be had."""

from itertools import product

import pytest

from agents.planner.settings import PlannerSettings
from agents.stt.models import REPOSITORIES
from agents.stt.settings import SttSettings
from agents.tts.models import FILES, REPOSITORY
from agents.tts.settings import TtsSettings
from hub import profiles
from hub.engines import ENGINES
from hub.gpu import Gpu
from hub.profiles import (
    CHOSEN_NAMES,
    Machine,
    Need,
    NeedKind,
    Option,
    Part,
    Profile,
    filled,
    guessed,
    open_parts,
    parts_of,
)
from hub.settings import KNOWN_NAMES, Settings
from tests.fakes.gpu import gpu

MACHINES = [
    Machine("Linux", "x86_64", memory, cores, card, ollama, server)
    for memory, cores, card, ollama, server in product(
        (1.0, 4.0, 16.0, 64.0), (2, 16), (None, gpu(total_gb=8), gpu(total_gb=16), gpu(total_gb=24)),
        (False, True), (False, True),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("machine", "profile", "why"),
    [
        (
            Machine(gpu=gpu(name="NVIDIA H200", total_gb=140)),
            Profile.GPU,
            "a NVIDIA H200 of 140 GiB",
        ),
        (Machine(memory_gib=2.0, gpu=gpu()), Profile.GPU, "NVIDIA X"),
        (Machine(architecture="aarch64", memory_gib=7.9), Profile.PI, "aarch64 with 7.9 GiB"),
        (Machine(architecture="armv7l", memory_gib=0.9), Profile.PI, "0.9 GiB"),
        (Machine(architecture="x86_64", memory_gib=3.8), Profile.PI, "3.8 GiB of memory"),
        (Machine(architecture="aarch64", memory_gib=250.0), Profile.LAPTOP, "250.0 GiB"),
        (Machine("Darwin", "arm64", 16.0), Profile.LAPTOP, "arm64 with 16.0 GiB"),
        (Machine(), Profile.LAPTOP, "x86_64 with 16.0 GiB of memory and no GPU"),
    ],
)
def test_a_machine_is_looked_at_and_told_why(machine: Machine, profile: Profile, why: str) -> None:
    guess = guessed(machine)

    assert guess.profile is profile
    assert why in guess.why


def first(profile: Profile, machine: Machine) -> dict[str, str]:
    """What the best option of every part writes."""
    return {
        n: v for part in parts_of(profile, machine) for n, v in part.options[0].settings.items()
    }


@pytest.mark.parametrize(
    ("profile", "machine", "stt", "tts", "llm"),
    [
        (Profile.PI, Machine(memory_gib=1.9), "pocketsphinx", "espeak", "reflex"),
        (Profile.PI, Machine(memory_gib=7.9), "tiny.en", "espeak", "reflex"),
        (Profile.PI, Machine(memory_gib=7.9, names_server=True), "tiny.en", "espeak", "openai"),
        (Profile.PI, Machine(memory_gib=7.9, has_ollama=True), "tiny.en", "espeak", "reflex"),
        (Profile.LAPTOP, Machine(cores=4), "base.en", "kokoro", "reflex"),
        (Profile.LAPTOP, Machine(cores=8), "small.en", "kokoro", "reflex"),
        (Profile.LAPTOP, Machine(cores=8, memory_gib=8), "base.en", "kokoro", "reflex"),
        (Profile.LAPTOP, Machine(has_ollama=True), "base.en", "kokoro", "qwen3:4b"),
        (Profile.LAPTOP, Machine(memory_gib=8, has_ollama=True), "base.en", "kokoro", "qwen3:1.7b"),
        (Profile.LAPTOP, Machine(has_ollama=True, names_server=True), "base.en", "kokoro", "openai"),
        (Profile.GPU, Machine(gpu=gpu(total_gb=24)), "large-v3-turbo", "orpheus", "vllm"),
        (Profile.GPU, Machine(gpu=gpu(total_gb=16)), "large-v3-turbo", "kokoro", "vllm"),
        (Profile.GPU, Machine(gpu=gpu(total_gb=8)), "large-v3-turbo", "kokoro", "reflex"),
        (Profile.GPU, Machine(gpu=gpu(total_gb=8), has_ollama=True), "large-v3-turbo", "kokoro", "qwen3:8b"),
    ],
)  # fmt: skip
def test_each_profile_gives_a_machine_what_it_can_carry(
    profile: Profile, machine: Machine, stt: str, tts: str, llm: str
) -> None:
    settings = first(profile, machine)

    assert settings.get("STT_MODEL_SIZE", settings["STT_BACKEND"]) == stt
    assert settings["TTS_BACKEND"] == tts
    assert settings.get("MODEL_NAME", settings["LLM_BACKEND"]) == llm
    if stt == "large-v3-turbo":
        assert (settings["STT_DEVICE"], settings["STT_COMPUTE_TYPE"]) == ("cuda", "float16")
    elif stt != "pocketsphinx":
        assert (settings["STT_DEVICE"], settings["STT_COMPUTE_TYPE"]) == ("cpu", "int8")
    assert ("PERFORMANCE_MODE" in settings) is (tts == "orpheus")


@pytest.mark.parametrize("profile", Profile)
def test_whatever_cannot_be_had_a_hub_can_be_run(profile: Profile) -> None:
    for machine in MACHINES:
        for part in parts_of(profile, machine):
            alone = filled(part, lambda need: f"no {need.name}")

            assert alone.option.needs == ()
            assert part.options.index(alone.option) == len(alone.refusals)
            assert part.options[-1].needs == ()
            assert all(part.setting in option.settings for option in part.options)


@pytest.mark.parametrize("profile", Profile)
def test_what_is_written_is_legal_for_the_hub_and_for_its_agents(profile: Profile) -> None:
    # Reading settings takes a millisecond, and most machines are given the same ones.
    written = {
        tuple(sorted(option.settings.items()))
        for machine in MACHINES
        for part in parts_of(profile, machine)
        for option in part.options
    }
    for settings in map(dict, written):
        fields = {name.lower(): value for name, value in settings.items()}
        Settings(_env_file=None, **fields)  # type: ignore[arg-type, call-arg]
        for kind in (SttSettings, PlannerSettings, TtsSettings):
            kind.model_validate({"HUB_BUS_DIR": "/bus", **settings})


def test_the_best_of_a_large_gpu_fits_into_the_budget() -> None:
    for gib in (8, 16, 24, 140):
        settings = first(Profile.GPU, Machine(gpu=gpu(total_gb=gib)))
        Settings(_env_file=None, **{n.lower(): v for n, v in settings.items()})  # type: ignore[arg-type, call-arg]


def test_every_name_that_may_be_written_is_a_setting_and_every_engine_exists() -> None:
    assert {n for n in CHOSEN_NAMES - KNOWN_NAMES if not n.startswith("VLLM_")} == set()
    engines = dict(ENGINES.values())
    for profile, machine in product(Profile, MACHINES):
        for part in parts_of(profile, machine):
            for option in part.options:
                assert option.settings[part.setting] in engines[part.setting]
                assert option.settings.keys() <= CHOSEN_NAMES


def test_the_models_are_those_that_agents_look_for() -> None:
    assert (profiles.KOKORO_MODEL, profiles.KOKORO_FILES) == (REPOSITORY, FILES)
    defaults = TtsSettings.model_fields
    assert defaults["model_name"].default == profiles.ORPHEUS_MODEL
    assert defaults["snac_model"].default == profiles.SNAC_MODEL
    assert PlannerSettings.model_fields["vllm_model_name"].default == profiles.VLLM_MODEL
    needs = {
        need
        for profile, machine in product(Profile, MACHINES)
        for part in parts_of(profile, machine)
        for option in part.options
        for need in option.needs
    }
    assert {n.name for n in needs if n.kind is NeedKind.WHISPER} <= set(REPOSITORIES)


A, B = Need(NeedKind.EXTRA, "a"), Need(NeedKind.REPOSITORY, "b")
PART = Part(
    "voice",
    "X_BACKEND",
    (Option("best", {}, (A, B)), Option("good", {}, (B,)), Option("embedded", {})),
)


@pytest.mark.parametrize(
    ("lacks", "what", "refusals"),
    [
        ({}, "best", ()),
        ({A: "no a"}, "good", ("best: no a",)),
        ({B: "no b"}, "embedded", ("best: no b", "good: no b")),
        ({A: "no a", B: "no b"}, "embedded", ("best: no a", "good: no b")),
    ],
)
def test_the_best_option_that_can_be_had_is_taken_and_the_others_say_why_not(
    lacks: dict[Need, str], what: str, refusals: tuple[str, ...]
) -> None:
    got = filled(PART, lambda need: lacks.get(need, ""))

    assert (got.option.what, got.refusals) == (what, refusals)


def test_nothing_is_fetched_for_an_option_after_its_first_need_cannot_be_had() -> None:
    asked: list[Need] = []

    def obtain(need: Need) -> str:
        asked.append(need)
        return "no" if need is A else ""

    filled(PART, obtain)

    assert asked == [A, B]  # a for the best, b for the good one


def test_an_engine_that_somebody_chose_stays_and_a_model_that_somebody_named_is_fetched() -> None:
    parts = parts_of(Profile.LAPTOP, Machine())
    given = {"TTS_BACKEND": "espeak", "STT_BACKEND": "", "STT_MODEL_SIZE": "tiny"}

    stt, llm = open_parts(parts, given)

    assert (stt.trade, llm.trade) == ("recogniser", "language model")
    assert stt.options[0].needs == (Need(NeedKind.WHISPER, "tiny", "STT_MODEL_SIZE"),)


def test_memory_of_a_gpu_is_counted_in_gib() -> None:
    assert Gpu("X", 3 << 30, 1 << 30).total_gb == 3.0
