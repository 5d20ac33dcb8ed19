"""The real wake word engine on real speech: what it hears, what it does not, and what it needs."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from agents.ears.agent import Ears
from agents.ears.backends.micro_wake import MicroWake
from agents.ears.backends.silero_single import SileroSingleActivity
from agents.runtime.errors import BackendUnavailable
from protocols.messages.session import Attention, AttentionSet, SessionAssign
from protocols.messages.voice import DropReason, UtteranceDropped, UtteranceEnded, WakeDetected
from tests.agents.ears.microphone import Microphone, Samples, mixed, recording, silence
from tests.recordings import SCENARIO, demo_recordings

RECORDINGS = SCENARIO.parent / "attention" / "recordings"
WORD_ENDS_MS, QUESTION_BEGINS_MS = 950, 1_020
"""In ``called.wav``."""

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("pymicro_wakeword") is None, reason="needs robot-hub[wake]"
)


def spoken(name: str) -> Samples:
    return recording(RECORDINGS / name)


@pytest.fixture
async def wake() -> MicroWake:
    engine = MicroWake(("okay_nabu",))
    await engine.start()
    return engine


def calls(engine: MicroWake, *parts: Samples) -> int:
    """How often the wake word was heard in 32 ms pieces of sound, as ears cut it."""
    pcm = mixed(*parts).tobytes()
    memory = engine.memory()
    heard = [engine.hear(memory, pcm[at : at + 1_024]) for at in range(0, len(pcm), 1_024)]
    edges = np.diff([0, *(call is not None for call in heard)])
    return int((edges == 1).sum())


@needs_library
async def test_the_wake_word_is_heard_once_each_time_it_is_said(wake: MicroWake) -> None:
    assert calls(wake, silence(0.5), spoken("called.wav"), silence(1.0)) == 1
    assert calls(wake, spoken("called.wav"), silence(2.0), spoken("called.wav"), silence(1)) == 2


@needs_library
async def test_other_speech_is_no_wake_word(wake: MicroWake) -> None:
    others = [recording(one.path) for one in demo_recordings()]
    others += [spoken(name) for name in ("weather.wav", "follow_up.wav", "button.wav")]
    assert calls(wake, *others, silence(1.0)) == 0


@needs_library
async def test_microphones_do_not_hear_each_other(wake: MicroWake) -> None:
    pcm = mixed(spoken("called.wav"), silence(1.0)).tobytes()
    one, other = wake.memory(), wake.memory()
    heard = {"one": 0, "other": 0}
    for at in range(0, len(pcm), 1_024):
        heard["one"] += wake.hear(one, pcm[at : at + 1_024]) is not None
        heard["other"] += wake.hear(other, bytes(1_024)) is not None
    assert heard["one"] > 0
    assert heard["other"] == 0


@needs_library
async def test_ears_take_what_follows_the_wake_word_and_nothing_before_it(wake: MicroWake) -> None:
    activity = SileroSingleActivity()
    await activity.start()
    ears = Ears(activity, None, wake)
    microphone = Microphone(ears, SessionAssign(attention=Attention.WAKE_WORD))
    microphone.hear(mixed(silence(0.5), spoken("weather.wav"), silence(2.0)))
    assert [m.reason for m in microphone.messages if isinstance(m, UtteranceDropped)] == [
        DropReason.NOT_ADDRESSED
    ]
    begins = microphone.at
    microphone.hear(mixed(spoken("called.wav"), silence(2.0)))
    [call] = [m for m in microphone.messages if isinstance(m, WakeDetected)]
    assert call.word == "okay_nabu"
    [end] = [m for m in microphone.messages if isinstance(m, UtteranceEnded)]
    assert WORD_ENDS_MS - 120 <= (end.first_sample - begins) / 16 <= QUESTION_BEGINS_MS
    assert len(microphone.sound(end.utterance)) // 2 == end.last_sample - end.first_sample
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, wake_sample=call.last_sample))
    microphone.hear(mixed(silence(0.5), spoken("weather.wav"), silence(2.0)))
    assert [m for m in microphone.messages if isinstance(m, WakeDetected)] == [call]


@needs_library
@pytest.mark.parametrize("word", ["hey_robot", "/nowhere/hey_robot.json", __file__])
async def test_a_word_without_a_model_is_named(word: str) -> None:
    with pytest.raises(BackendUnavailable, match=r"no wake word model .*okay_nabu"):
        await MicroWake((word,)).start()


@needs_library
async def test_a_model_of_one_s_own_is_loaded_by_its_file() -> None:
    spec = importlib.util.find_spec("pymicro_wakeword")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "models" / "okay_nabu.json"
    engine = MicroWake((str(file),), threshold=0.5)
    await engine.start()
    assert calls(engine, spoken("called.wav"), silence(1.0)) == 1


async def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match=r"install robot-hub\[wake\]"):
        await MicroWake(("okay_nabu",)).start()
