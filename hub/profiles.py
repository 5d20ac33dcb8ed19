"""What a machine is good for: for each profile which recogniser, voice and language model, in the
order of preference, what each needs, and what it is told. Pure.

The last option of every part needs nothing: whatever cannot be had, a hub can be run.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from hub.gpu import Gpu

LARGEST_PI_GIB = 16.5
"""Memory of the largest Raspberry Pi; an ARM machine with more is a server."""
SMALL_GIB = 4.0
WHISPER_GIB = 3.0
"""Below it a Whisper beside everything else leaves nothing for the robot's own programs."""
GOOD_CORES, GOOD_GIB = 8, 15.0
"""A laptop on which ``small.en`` keeps up with a speaker, and a 4B model beside it."""
ALL_ON_GPU_GIB = 22.0
"""A language model in 35 % and Orpheus in 45 %: what the documented shares were made for."""
MODEL_ON_GPU_GIB = 11.0

VLLM_MODEL = "Vishva007/gemma-4-E4B-it-W4A16-AutoRound-GPTQ"
ORPHEUS_MODEL, SNAC_MODEL = "canopylabs/orpheus-3b-0.1-ft", "hubertsiuzdak/snac_24khz"
KOKORO_MODEL = "onnx-community/Kokoro-82M-v1.0-ONNX"
KOKORO_FILES = ("onnx/model.onnx", "voices/*.bin", "config.json")

_ARM = ("aarch64", "arm64", "armv7l", "armv6l")


class Profile(StrEnum):
    """The kinds of machines."""

    PI = "pi"
    LAPTOP = "laptop"
    GPU = "gpu"


class Machine(NamedTuple):
    """What is looked at. ``names_server``: the settings say where an OpenAI-compatible server is."""

    system: str = "Linux"
    architecture: str = "x86_64"
    memory_gib: float = 16.0
    cores: int = 4
    gpu: Gpu | None = None
    has_ollama: bool = False
    names_server: bool = False


class Guess(NamedTuple):
    """A profile, and why it is that one."""

    profile: Profile
    why: str


class NeedKind(StrEnum):
    """Where something comes from."""

    EXTRA = "extra"
    WHISPER = "whisper"
    OLLAMA = "ollama"
    REPOSITORY = "repository"


class Need(NamedTuple):
    """Something that must be there. ``setting`` names it where it is set; ``files`` are patterns
    of what is needed of a repository, the first one a file; none: everything."""

    kind: NeedKind
    name: str
    setting: str = ""
    files: tuple[str, ...] = ()


class Option(NamedTuple):
    """One way to fill a part."""

    what: str
    settings: Mapping[str, str]
    needs: tuple[Need, ...] = ()


class Part(NamedTuple):
    """A trade and its options, the best first. ``setting`` chooses the engine: where somebody has
    set it already, nothing is chosen."""

    trade: str
    setting: str
    options: tuple[Option, ...]


class Filled(NamedTuple):
    """An option that can be had, and what stood in the way of the better ones."""

    part: Part
    option: Option
    refusals: tuple[str, ...] = ()


def guessed(machine: Machine) -> Guess:
    """The profile for ``machine``."""
    if machine.gpu is not None:
        return Guess(
            Profile.GPU, f"there is a {machine.gpu.name} of {machine.gpu.total_gb:.0f} GiB"
        )
    memory = f"{machine.memory_gib:.1f} GiB of memory"
    if machine.memory_gib <= SMALL_GIB:
        return Guess(Profile.PI, f"it has {memory} and no GPU that can be measured")
    is_arm = machine.system == "Linux" and machine.architecture in _ARM
    if is_arm and machine.memory_gib <= LARGEST_PI_GIB:
        return Guess(Profile.PI, f"it is {machine.architecture} with {memory}")
    return Guess(
        Profile.LAPTOP,
        f"it is {machine.architecture} with {memory} and no GPU that can be measured",
    )


def parts_of(profile: Profile, machine: Machine) -> tuple[Part, ...]:
    """What ``machine`` can be given under ``profile``."""
    match profile:
        case Profile.PI:
            whisper = [_whisper("tiny.en")] if machine.memory_gib >= WHISPER_GIB else []
            stt, tts, llm = whisper, [], _server(machine)
        case Profile.LAPTOP:
            good = machine.cores >= GOOD_CORES and machine.memory_gib >= GOOD_GIB
            stt, tts = [_whisper("small.en" if good else "base.en")], [_KOKORO]
            model = "qwen3:4b" if machine.memory_gib >= GOOD_GIB else "qwen3:1.7b"
            llm = _server(machine) + _ollama(machine, model)
        case Profile.GPU:
            gib = machine.gpu.total_gb if machine.gpu is not None else 0.0
            stt = [_WHISPER_CUDA, _whisper("base.en")]
            tts = [_ORPHEUS, _KOKORO] if gib >= ALL_ON_GPU_GIB else [_KOKORO]
            llm = _vllm(gib) + _server(machine) + _ollama(machine, "qwen3:8b")
    return (
        Part("recogniser", "STT_BACKEND", (*stt, _POCKETSPHINX)),
        Part("voice", "TTS_BACKEND", (*tts, _ESPEAK)),
        Part("language model", "LLM_BACKEND", (*llm, _REFLEX)),
    )


def open_parts(parts: tuple[Part, ...], given: Mapping[str, str]) -> tuple[Part, ...]:
    """The parts that nobody has chosen yet by a setting, with what ``given`` settings say of their
    models."""
    return tuple(
        part._replace(options=tuple(_as_given(option, given) for option in part.options))
        for part in parts
        if not given.get(part.setting)
    )


def filled(part: Part, obtain: Callable[[Need], str]) -> Filled:
    """The best option of ``part`` all of whose needs ``obtain`` provides; it returns what stands in
    the way, empty if the thing is there."""
    refusals: list[str] = []
    for option in part.options:
        reason = next(filter(None, map(obtain, option.needs)), "")
        if not reason:
            return Filled(part, option, tuple(refusals))
        refusals.append(f"{option.what}: {reason}")
    raise AssertionError(f"the last option of {part.trade} needs something")


def _as_given(option: Option, given: Mapping[str, str]) -> Option:
    needs = tuple(
        need._replace(name=given[need.setting]) if given.get(need.setting) else need
        for need in option.needs
    )
    return option._replace(needs=needs)


def _whisper(model: str) -> Option:
    return Option(
        f"faster-whisper {model}, int8 on the CPU",
        {
            "STT_BACKEND": "faster_whisper",
            "STT_MODEL_SIZE": model,
            "STT_DEVICE": "cpu",
            "STT_COMPUTE_TYPE": "int8",
        },
        (Need(NeedKind.WHISPER, model, "STT_MODEL_SIZE"),),
    )


def _server(machine: Machine) -> list[Option]:
    there = Option("the server of OPENAI_BASE_URL", {"LLM_BACKEND": "openai"})
    return [there] if machine.names_server else []


def _ollama(machine: Machine, model: str) -> list[Option]:
    if not machine.has_ollama:
        return []
    settings = {
        "LLM_BACKEND": "ollama",
        "MODEL_NAME": model,
        # By default Ollama would load the model anew for every answer.
        "CONVERSE_KEEP_ALIVE": "30m",
        "PLAN_KEEP_ALIVE": "30m",
    }
    need = Need(NeedKind.OLLAMA, model, "MODEL_NAME")
    return [Option(f"Ollama with {model}", settings, (need,))]


def _vllm(gib: float) -> list[Option]:
    if gib < MODEL_ON_GPU_GIB:
        return []
    alone = {} if gib >= ALL_ON_GPU_GIB else {"VLLM_GPU_MEMORY_UTILIZATION": "0.55"}
    settings = {"LLM_BACKEND": "vllm", "VLLM_MODEL_NAME": VLLM_MODEL, **alone}
    needs = (_VLLM_EXTRA, Need(NeedKind.REPOSITORY, VLLM_MODEL, "VLLM_MODEL_NAME"))
    return [Option(f"vLLM with {VLLM_MODEL}", settings, needs)]


_VLLM_EXTRA = Need(NeedKind.EXTRA, "vllm")
_POCKETSPHINX = Option("pocketsphinx, embedded", {"STT_BACKEND": "pocketsphinx"})
_ESPEAK = Option("espeak-ng, embedded", {"TTS_BACKEND": "espeak"})
_REFLEX = Option("rules without a model, embedded", {"LLM_BACKEND": "reflex"})
_WHISPER_CUDA = Option(
    "faster-whisper large-v3-turbo, float16 on the GPU",
    {
        "STT_BACKEND": "faster_whisper",
        "STT_MODEL_SIZE": "large-v3-turbo",
        "STT_DEVICE": "cuda",
        "STT_COMPUTE_TYPE": "float16",
    },
    (Need(NeedKind.WHISPER, "large-v3-turbo", "STT_MODEL_SIZE"),),
)
_KOKORO = Option(
    "Kokoro, neural on the CPU",
    {"TTS_BACKEND": "kokoro"},
    (Need(NeedKind.REPOSITORY, KOKORO_MODEL, files=KOKORO_FILES),),
)
_ORPHEUS = Option(
    "Orpheus on the GPU",
    {"TTS_BACKEND": "orpheus", "PERFORMANCE_MODE": "1", "TTS_MODEL_NAME": ORPHEUS_MODEL},
    (
        _VLLM_EXTRA,
        Need(NeedKind.EXTRA, "orpheus"),
        Need(NeedKind.REPOSITORY, ORPHEUS_MODEL, "TTS_MODEL_NAME"),
        Need(NeedKind.REPOSITORY, SNAC_MODEL, "ORPHEUS_SNAC_MODEL"),
    ),
)

CHOSEN_NAMES = frozenset(
    name
    for profile in Profile
    for gib in (MODEL_ON_GPU_GIB, ALL_ON_GPU_GIB)
    for part in parts_of(
        profile, Machine(has_ollama=True, names_server=True, gpu=Gpu("", int(gib * 2**30), 0))
    )
    for option in part.options
    for name in option.settings
)
"""Every setting that an option can write."""
