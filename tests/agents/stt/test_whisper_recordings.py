"""faster-whisper over whole recordings: on models whose random weights favour what a test wants to
see, and on a named fake where the order of things is the matter."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agents.runtime.errors import AgentError
from agents.stt.backends.base import Asked, NotServed, Understood
from agents.stt.backends.faster_whisper import FasterWhisper
from agents.stt.backends.whisper_recordings import TEMPERATURES, check, decoded
from protocols.messages.transcribe import TranscribeSegment, WordTime
from tests.agents.ears.microphone import mixed, recording, silence
from tests.agents.stt.test_whisper import whisper
from tests.recordings import demo_recording

SPEECH = demo_recording("long_story.wav")
PLAINLY = Asked()


def speech() -> bytes:
    return mixed(silence(0.3), recording(SPEECH.path), silence(0.3)).tobytes()


def part(text: str, start: float, end: float, **fields: object) -> Any:
    usual = {"tokens": [1, 2], "avg_logprob": -0.1, "no_speech_prob": 0.0, "words": None}
    return SimpleNamespace(text=text, start=start, end=end, **{**usual, **fields})


class FakeWhisper:
    """Hears ``parts`` in everything, and keeps how it was asked. ``begun`` counts its steps."""

    def __init__(self, *parts: Any, fails: Exception | None = None) -> None:
        self.parts = parts
        self.fails = fails
        self.asked: dict[str, Any] = {}
        self.begun = 0

    def transcribe(self, sound: Any, **asked: Any) -> tuple[Iterator[Any], Any]:
        self.asked = asked
        return self._steps(), SimpleNamespace(language="fr", language_probability=0.75)

    def _steps(self) -> Iterator[Any]:
        for each in self.parts:
            self.begun += 1
            yield each
        if self.fails:
            raise self.fails


def told(fake: FakeWhisper, asked: Asked = PLAINLY) -> list[TranscribeSegment | Understood]:
    return list(decoded(fake, bytes(96_000), asked, beams=5))


def test_stretches_keep_their_times_words_and_sureness() -> None:
    word = SimpleNamespace(word=" monde", start=0.5, end=0.75, probability=0.5)
    fake = FakeWhisper(part(" Bonjour", 0.0, 0.5), part(" monde.", 0.5, 1.0, words=[word]))
    first, second, understood = told(fake, Asked(words=True))
    assert isinstance(first, TranscribeSegment)
    assert isinstance(second, TranscribeSegment)
    assert (first.start_ms, first.end_ms, first.text) == (0, 500, "Bonjour")
    assert first.confidence == pytest.approx(0.905, abs=0.001)
    assert second.words == (WordTime(word="monde", start_ms=500, end_ms=750, confidence=0.5),)
    assert isinstance(understood, Understood)
    assert understood.text == "Bonjour monde."
    assert (understood.language, understood.language_confidence) == ("fr", 0.75)
    assert understood.confidence == pytest.approx(0.905, abs=0.001)


def test_a_language_without_spaces_gets_none() -> None:
    fake = FakeWhisper(part("你好", 0.0, 0.5), part("世界", 0.5, 1.0))
    understood = told(fake)[-1]
    assert isinstance(understood, Understood)
    assert understood.text == "你好世界"


def test_what_a_model_invents_for_silence_is_left_out() -> None:
    fake = FakeWhisper(part(" Thank you.", 0.0, 2.0, no_speech_prob=0.95))
    assert told(fake) == [Understood("", "fr", 0.0, 0.75)]


def test_how_it_is_asked_reaches_the_model() -> None:
    fake = FakeWhisper()
    told(fake)
    assert fake.asked["temperature"] == TEMPERATURES
    assert (fake.asked["task"], fake.asked["language"]) == ("transcribe", None)
    assert (fake.asked["word_timestamps"], fake.asked["vad_filter"]) == (False, True)
    last = told(fake, Asked("fr", "Zoé et Léo", 0.0, True, True))[-1]
    assert isinstance(last, Understood)
    assert last.language == "en"
    assert (fake.asked["task"], fake.asked["language"]) == ("translate", "fr")
    assert fake.asked["temperature"] == 0.0
    assert fake.asked["initial_prompt"] == "Zoé et Léo"
    assert (fake.asked["word_timestamps"], fake.asked["beam_size"]) == (True, 5)


def test_a_model_that_fails_in_the_middle_says_so() -> None:
    fake = FakeWhisper(part(" Bonjour", 0.0, 0.5), fails=RuntimeError("out of memory"))
    steps = decoded(fake, bytes(3_200), PLAINLY, beams=1)
    next(steps)
    with pytest.raises(AgentError) as raised:
        next(steps)
    assert (raised.value.code, str(raised.value)) == ("stt_failed", "whisper: out of memory")


def test_what_a_model_does_not_know_it_refuses() -> None:
    for asked, languages, code in (
        (Asked("de"), {"en"}, "language_not_served"),
        (Asked("en", translate=True), {"en"}, "translate_not_served"),
    ):
        with pytest.raises(NotServed) as raised:
            check(asked, languages)
        assert raised.value.code == code
    check(Asked("de", translate=True), {"en", "de"})
    check(Asked("en"), {"en"})


async def test_a_real_model_tells_the_language_and_its_probability(tmp_path: Path) -> None:
    async with whisper(tmp_path, {"<|de|>": 60.0, "a": 30.0}) as engine:
        *_, understood = [each async for each in engine.transcribed(speech(), PLAINLY)]
    assert isinstance(understood, Understood)
    assert understood.language == "de"
    assert understood.language_confidence == pytest.approx(1.0, abs=0.01)


async def test_a_real_model_gives_words_with_times(tmp_path: Path) -> None:
    async with whisper(tmp_path, {"a": 30.0}, multilingual=False) as engine:
        told = [each async for each in engine.transcribed(speech(), Asked("en", words=True))]
    words = [word for each in told[:-1] for word in getattr(each, "words", ())]
    assert words
    assert all(0 <= word.start_ms <= word.end_ms for word in words)
    assert all(0 <= word.confidence <= 1 for word in words)


async def begun_after(pool: ThreadPoolExecutor, fake: FakeWhisper) -> int:
    """How many steps were begun, once what the pool was given before is done."""
    await asyncio.get_running_loop().run_in_executor(pool, int)
    return fake.begun


async def test_a_recording_holds_between_two_steps_while_a_user_speaks(tmp_path: Path) -> None:
    fake = FakeWhisper(*(part(f" {n}", n, n + 1) for n in range(3)))
    engine = FasterWhisper(tmp_path)
    engine._whisper = fake
    over = threading.Event()
    told = engine.transcribed(bytes(3_200), PLAINLY)
    async with asyncio.TaskGroup() as tasks:
        await anext(told)
        live = tasks.create_task(engine.off_the_loop(over.wait))
        await asyncio.sleep(0)
        reading = tasks.create_task(anext(told))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        begun = await begun_after(engine._recordings, fake)
        over.set()
        await live
        await reading
    assert begun == 1
    assert fake.begun == 2
    await told.aclose()
    assert await begun_after(engine._recordings, fake) == 2
    await engine.close()
