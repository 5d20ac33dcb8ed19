"""faster-whisper on models whose random weights favour what a test wants to see."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import exp
from pathlib import Path

import pytest

from agents.stt.backends.base import Transcript
from agents.stt.backends.faster_whisper import FasterWhisper
from agents.stt.backends.sureness import Segment, is_silence, transcript_of
from tests.agents.ears.microphone import noise
from tests.agents.stt import tiny_whisper

SOUND = noise(1.0, rms=3_000).tobytes()
WORDS = {"a": 30.0}
"""What makes a model write, whatever it hears."""


@asynccontextmanager
async def whisper(
    folder: Path, favours: Mapping[str, float], *, multilingual: bool = True, beam_size: int = 1
) -> AsyncIterator[FasterWhisper]:
    model = tiny_whisper.build(folder / "tiny", multilingual=multilingual, favours=favours)
    engine = FasterWhisper(model, threads=1, beam_size=beam_size)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def heard(engine: FasterWhisper, language: str) -> Transcript:
    stream = engine.stream(language)
    await stream.feed(SOUND)
    return await stream.finish()


@pytest.mark.parametrize("tag", ["auto", "", "xx"])
async def test_a_multilingual_model_finds_out_the_language(tag: str, tmp_path: Path) -> None:
    async with whisper(tmp_path, {"<|de|>": 60.0}) as engine:
        assert (await heard(engine, tag)).language == "de"


async def test_a_multilingual_model_keeps_to_the_language_it_is_told(tmp_path: Path) -> None:
    async with whisper(tmp_path, {"<|de|>": 60.0}) as engine:
        assert (await heard(engine, "fr-CA")).language == "fr"


@pytest.mark.parametrize("tag", ["auto", "de", "en"])
async def test_an_english_model_says_english(tag: str, tmp_path: Path) -> None:
    async with whisper(tmp_path, WORDS, multilingual=False) as engine:
        assert (await heard(engine, tag)).language == "en"


@pytest.mark.parametrize("beams", [1, 3])
async def test_the_confidence_is_the_probability_of_a_token(beams: int, tmp_path: Path) -> None:
    async with whisper(tmp_path, {"a": 3.0}, beam_size=beams) as engine:
        text, _, confidence = await heard(engine, "en")
    assert set(text) == {"a"}
    assert confidence == pytest.approx(exp(-3.3), rel=0.1)


async def test_words_that_a_model_writes_for_silence_are_nothing(tmp_path: Path) -> None:
    async with whisper(tmp_path, {**WORDS, "<|nospeech|>": 60.0}) as engine:
        assert await heard(engine, "en") == Transcript("", "en", 0.0)
    async with whisper(tmp_path, WORDS) as engine:
        assert (await heard(engine, "en")).text


@pytest.mark.parametrize(
    ("avg_logprob", "no_speech_prob", "silence"),
    [
        (-0.1, 0.0, False),
        (-5.0, 0.5, False),
        (-0.9, 0.7, False),
        (-1.1, 0.7, True),
        (-0.1, 0.95, True),
    ],
)
def test_silence_is_what_the_model_takes_for_it(
    avg_logprob: float, no_speech_prob: float, silence: bool
) -> None:
    assert is_silence(Segment("thank you", 3, avg_logprob, no_speech_prob)) is silence


def test_a_stretch_of_silence_takes_no_part_in_the_confidence() -> None:
    segments = [Segment(" turn left", 2, -0.1), Segment(" Thank you.", 30, -0.5, 0.95)]
    assert transcript_of(segments, "en") == Transcript("turn left", "en", exp(-0.1))


def test_a_confidence_is_never_above_one() -> None:
    assert transcript_of([Segment("a", 1, 0.3)], "en").confidence == 1.0
