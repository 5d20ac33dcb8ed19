"""The embedded recogniser over whole recordings of real voices."""

from itertools import pairwise

import numpy as np
import pytest

from agents.stt.backends.base import Asked, NotServed, Understood
from agents.stt.backends.pocketsphinx import PocketSphinx
from agents.stt.backends.sphinx_recordings import LONGEST_BYTES, MARGIN_BYTES, stretches
from protocols.messages.transcribe import TranscribeSegment
from tests.agents.ears.microphone import mixed, recording, silence
from tests.agents.stt.measure_wer import word_errors
from tests.recordings import demo_recording

FIRST, SECOND = demo_recording("find_the_ball.wav"), demo_recording("long_story.wav")


def two_sentences() -> bytes:
    return mixed(
        silence(1.0), recording(FIRST.path), silence(1.5), recording(SECOND.path), silence(0.5)
    ).tobytes()


PLAINLY = Asked()


async def heard(
    engine: PocketSphinx, pcm: bytes, asked: Asked = PLAINLY
) -> tuple[list[TranscribeSegment], Understood]:
    told = [each async for each in engine.transcribed(pcm, asked)]
    segments = [each for each in told if isinstance(each, TranscribeSegment)]
    last = told[-1]
    assert isinstance(last, Understood)
    return segments, last


async def test_sentences_between_silences_are_stretches_of_their_own() -> None:
    engine = PocketSphinx()
    pcm = two_sentences()
    segments, understood = await heard(engine, pcm, Asked("en", words=True))
    assert len(segments) == 2
    assert word_errors(f"{FIRST.text} {SECOND.text}", understood.text) <= 1
    first, second = segments
    gap = 1_000 + len(recording(FIRST.path)) // 16
    assert first.end_ms < gap + 750 < second.start_ms + 750
    for segment in segments:
        assert [word.word for word in segment.words] == segment.text.split()
        times = [t for word in segment.words for t in (word.start_ms, word.end_ms)]
        assert times == sorted(times)
        assert segment.start_ms <= times[0]
        assert times[-1] <= segment.end_ms
    assert understood.language == "en"
    await engine.close()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked("de"), "language_not_served"),
        (Asked("en", translate=True), "translate_not_served"),
        (Asked("en", prompt="names: Zoe"), "prompt_not_served"),
        (Asked("en", temperature=0.5), "temperature_not_served"),
    ],
)
async def test_what_it_cannot_do_it_refuses(asked: Asked, code: str) -> None:
    engine = PocketSphinx()
    with pytest.raises(NotServed) as raised:
        await heard(engine, bytes(32_000), asked)
    assert raised.value.code == code
    await engine.close()


def test_silence_has_no_stretches() -> None:
    assert list(stretches(bytes(96_000))) == []
    assert list(stretches(b"")) == []
    assert list(stretches(b"\0\0")) == []


def test_speech_at_the_very_end_is_a_stretch_too() -> None:
    pcm = mixed(silence(1.0), recording(FIRST.path)[:16_000]).tobytes()
    ((start, end),) = stretches(pcm)
    assert 16_000 < start < end == len(pcm)


def test_sound_without_a_silence_is_cut() -> None:
    voice = recording(SECOND.path)
    quick = np.tile(voice[np.abs(voice) > 40], 40)[: 16_000 * 45]
    cut = list(stretches(quick.astype(np.int16).tobytes()))
    assert len(cut) >= 3
    assert all(end - start <= LONGEST_BYTES + 2 * MARGIN_BYTES + 2_000 for start, end in cut)
    assert all(a[1] <= b[0] for a, b in pairwise(cut))
