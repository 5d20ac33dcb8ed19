"""What every voice activity backend must do, and what the turn model must."""

import importlib.util
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from agents.ears.backends.base import ACTIVITIES, VoiceActivity
from agents.ears.backends.scripted import ScriptedActivity
from agents.ears.backends.silero import SileroActivity
from agents.ears.backends.silero_single import SileroSingleActivity
from agents.ears.backends.smart_turn import SmartTurn
from agents.runtime.errors import BackendUnavailable
from protocols.marks import MarkKind, mark
from tests.agents.ears.microphone import Samples, mixed, noise, recording, silence
from tests.recordings import demo_recording

TURN_EXTRA = importlib.util.find_spec("pipecat") is not None
needs_turn_extra = pytest.mark.skipif(not TURN_EXTRA, reason="the extra 'turn' is not installed")

BACKENDS = [
    pytest.param(SileroActivity, marks=needs_turn_extra),
    SileroSingleActivity,
    ScriptedActivity,
]


@pytest.fixture(params=BACKENDS)
async def activity(request: pytest.FixtureRequest) -> AsyncIterator[VoiceActivity]:
    backend: VoiceActivity = request.param()
    await backend.start()
    yield backend
    await backend.close()


def speech() -> Samples:
    """A second of silence, a sentence between marks, and silence again."""
    words = recording(demo_recording("long_story.wav").path)
    start, stop = (np.frombuffer(mark(kind), np.int16) for kind in (MarkKind.START, MarkKind.STOP))
    return np.concatenate((noise(0.96), start, words, stop, noise(1.5)))


def judged(activity: VoiceActivity, sound: Samples) -> list[float]:
    """The probability of every whole window."""
    memory = activity.memory()
    return [activity.score([(memory, window)])[0] for window in windows(activity, sound)]


def windows(activity: VoiceActivity, sound: Samples) -> list[bytes]:
    starts = range(0, len(sound) - activity.window + 1, activity.window)
    return [sound[at : at + activity.window].tobytes() for at in starts]


def test_every_registered_backend_is_under_this_contract() -> None:
    assert len(ACTIVITIES) == len(BACKENDS)


async def test_speech_is_voice_and_what_surrounds_it_is_not(activity: VoiceActivity) -> None:
    scores = judged(activity, speech())
    second = 16_000 // activity.window
    assert max(scores[: second * 9 // 10]) < 0.35
    assert sum(score > 0.5 for score in scores) > second
    assert max(scores[-second:]) < 0.35
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize(
    "sound",
    [
        silence(1.0),
        noise(1.0, rms=30),
        noise(1.0, rms=3_000),
        np.full(16_000, 32_767, np.int16),
        np.where(np.arange(16_000) // 40 % 2, 32_767, -32_768).astype(np.int16),
    ],
    ids=["silence", "quiet noise", "loud noise", "stuck at full scale", "clipped square wave"],
)
async def test_what_is_no_voice_starts_none(activity: VoiceActivity, sound: Samples) -> None:
    scores = judged(activity, sound)
    assert not any(a > 0.5 and b > 0.5 for a, b in pairwise(scores))


async def test_a_voice_after_long_digital_silence_is_heard_as_soon(
    activity: VoiceActivity,
) -> None:
    def onset(sound: Samples) -> int:
        return next(n for n, score in enumerate(judged(activity, sound)) if score > 0.5)

    silent = np.concatenate((np.zeros(15_360, np.int16), speech()[15_360:]))
    late = np.concatenate((silence(4.8), silent))
    assert abs(onset(late) - 76_800 // activity.window - onset(speech())) <= 1


async def test_a_batch_gives_each_robot_what_it_gets_alone(activity: VoiceActivity) -> None:
    sounds = [speech(), speech()[8_000:], noise(3.0), speech()[::-1].copy(), silence(3.0)]
    length = min(map(len, sounds))
    sounds = [sound[:length] for sound in sounds]
    alone = [judged(activity, sound) for sound in sounds]
    memories = [activity.memory() for _ in sounds]
    together = [
        activity.score(list(zip(memories, batch, strict=True)))
        for batch in zip(*map(partial(windows, activity), sounds), strict=True)
    ]
    np.testing.assert_allclose(np.array(together).T, np.array(alone), atol=1e-4)


async def test_robots_may_come_and_go_between_batches(activity: VoiceActivity) -> None:
    sound = speech()
    expected = judged(activity, sound)
    memory, got = activity.memory(), []
    for number, window in enumerate(windows(activity, sound)):
        others = [(activity.memory(), window)] * 1 if number % 3 else []
        got.append(activity.score([*others, (memory, window)])[-1])
    np.testing.assert_allclose(got, expected, atol=1e-4)


async def test_nobody_to_judge_is_no_error(activity: VoiceActivity) -> None:
    assert activity.score([]) == []


@needs_turn_extra
async def test_the_turn_model_tells_a_whole_sentence_from_half_of_one() -> None:
    model = SmartTurn()
    await model.start()
    words = recording(demo_recording("what_can_you_do.wav").path)
    assert model.judge(mixed(words, silence(0.2)).tobytes()) > 0.5
    assert model.judge(mixed(words[: len(words) // 2], silence(0.2)).tobytes()) < 0.5
    await model.close()


@needs_turn_extra
@pytest.mark.parametrize("pcm", [b"", b"\0\0", bytes(40 * 32_000)], ids=["0", "1", "40 s"])
async def test_the_turn_model_takes_sound_of_any_length(pcm: bytes) -> None:
    model = SmartTurn()
    await model.start()
    assert 0 <= model.judge(pcm) <= 1
    await model.close()


@pytest.mark.parametrize("load", [SileroActivity, SmartTurn])
async def test_without_the_turn_extra_the_reason_is_named(
    load: Callable[[], SileroActivity | SmartTurn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match="pipecat is not installed"):
        await load().start()
