import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from agents.tts.backends.base import Marks, Sound
from agents.tts.backends.espeak import PIECE_CHARS, EspeakVoice, voice_names
from agents.tts.backends.espeak_engine import SpokenEvent, Voicing, engine
from agents.tts.prosody import NEUTRAL, Prosody, prosody_of

STORY = "Once upon a time there was a small robot who lived on a shelf above a quiet kitchen. " * 4
BUFFER_SAMPLES = 4_411
"""200 ms at 22,050 Hz, which espeak-ng rounds up."""


@pytest.fixture
async def voice() -> AsyncIterator[EspeakVoice]:
    espeak = EspeakVoice()
    await espeak.start()
    yield espeak
    await espeak.close()


async def spoken(
    voice: EspeakVoice,
    text: str,
    prosody: Prosody = NEUTRAL,
    language: str = "en",
    name: str = "",
) -> tuple[np.ndarray, list[Marks]]:
    pcm, marks = bytearray(), []
    async with aclosing(voice.speak(text, prosody, language, name)) as parts:
        async for part in parts:
            if isinstance(part, Sound):
                pcm += part.pcm
            else:
                marks.append(part)
    return np.frombuffer(pcm, dtype="<i2"), marks


def is_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two recordings may be of the same words. The engine's oscillators run on from one
    text to the next, so no two are alike to the sample; a sentence differs by up to 10 ms."""
    return abs(len(one) - len(other)) < 22 * 12 + len(one) / 100


async def test_words_sound_when_their_marks_say_so(voice: EspeakVoice) -> None:
    sound, marks = await spoken(voice, "Stop. Go, now!")
    words = [word for mark in marks for word in mark.words]
    loud = np.abs(sound.astype(int)) > 500
    for word in words:
        within = loud[word.start_ms * 22 : word.end_ms * 22]
        assert within.any(), word
    between = loud[words[0].end_ms * 22 + 1000 : words[1].start_ms * 22 - 200]
    assert not between.any()


async def test_characters_beyond_ascii_do_not_shift_the_words(voice: EspeakVoice) -> None:
    _, marks = await spoken(voice, "Süße Grüße – für Zoë 你好 okay")
    words = [word for mark in marks for word in mark.words]
    assert [word.text for word in words] == ["Süße", "Grüße", "–", "für", "Zoë", "你好", "okay"]
    assert words[-1].end_ms > words[-1].start_ms


async def test_visemes_are_phonemes_without_stress(voice: EspeakVoice) -> None:
    _, marks = await spoken(voice, "Hello")
    assert [v.phoneme for mark in marks for v in mark.visemes] == ["h", "ə", "l", "oʊ"]


async def test_feelings_change_the_sound(voice: EspeakVoice) -> None:
    neutral, _ = await spoken(voice, "I see a ball.")
    sad, _ = await spoken(voice, "I see a ball.", prosody_of("sad", 1.0))
    excited, _ = await spoken(voice, "I see a ball.", prosody_of("excited", 1.0))
    assert len(excited) < len(neutral) < len(sad)
    again, _ = await spoken(voice, "I see a ball.")
    assert is_same(neutral, again)


async def test_a_language_has_its_own_voice_and_an_unknown_one_the_usual(
    voice: EspeakVoice,
) -> None:
    english, _ = await spoken(voice, "Guten Tag")
    german, _ = await spoken(voice, "Guten Tag", language="de")
    unknown, _ = await spoken(voice, "Guten Tag", language="xx", name="tara")
    assert abs(len(english) - len(german)) > 22 * 24
    assert is_same(english, unknown)


class Leaver:
    """Listens to one buffer and leaves."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def is_stale(self) -> bool:
        return bool(self.heard)

    def hear(self, pcm: bytes, events: list[SpokenEvent]) -> None:
        self.heard.append(len(pcm) // 2)


async def test_the_engine_stops_within_one_buffer_and_speaks_the_next_text(
    voice: EspeakVoice,
) -> None:
    before, _ = await spoken(voice, "Yes")
    leaver = Leaver()
    engine().speak(STORY, Voicing(("en-us",), 165, 100, 50, 50), leaver)
    assert len(leaver.heard) == 1
    assert leaver.heard[0] <= BUFFER_SAMPLES
    after, _ = await spoken(voice, "Yes")
    assert is_same(before, after)


async def test_a_text_that_nobody_waits_for_is_not_begun() -> None:
    leaver = Leaver()
    leaver.heard.append(0)
    engine().speak(STORY, Voicing(("en-us",), 165, 100, 50, 50), leaver)
    assert leaver.heard == [0]


async def test_leaving_a_phrase_lets_the_next_one_speak(voice: EspeakVoice) -> None:
    async with aclosing(voice.speak(STORY * 20, NEUTRAL, "en", "")) as parts:
        await anext(parts)
    async with asyncio.timeout(5):
        word, _ = await spoken(voice, "Yes")
    assert len(word)


async def test_phrases_of_many_turns_are_spoken_at_once_and_unmixed(voice: EspeakVoice) -> None:
    alone = {text: (await spoken(voice, text))[0] for text in ("One.", "Two, three.", STORY)}
    async with asyncio.TaskGroup() as group:
        together = [
            (text, group.create_task(spoken(voice, text))) for text in alone for _ in range(3)
        ]
    for text, task in together:
        sound, marks = task.result()
        assert is_same(sound, alone[text])
        assert " ".join(word.text for mark in marks for word in mark.words) == text.strip()


async def test_a_long_text_lets_others_speak_between_its_pieces(voice: EspeakVoice) -> None:
    long = STORY * 8
    assert len(long) > 3 * PIECE_CHARS
    order: list[str] = []

    async def say(text: str, name: str) -> None:
        await spoken(voice, text)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(say(long, "long"))
        group.create_task(say("Yes", "short"))
    assert order == ["short", "long"]


async def test_the_loop_goes_on_while_ten_thousand_characters_are_spoken(
    voice: EspeakVoice,
) -> None:
    loop = asyncio.get_running_loop()
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0)
            gaps.append(loop.time() - before)

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        sound, _ = await spoken(voice, STORY[:340] * 30)
        ticking.cancel()
    assert len(sound) > 22_050 * 300
    assert max(gaps) < 0.5


async def test_a_word_that_never_ends_is_spoken_in_parts(voice: EspeakVoice) -> None:
    _, marks = await spoken(voice, "a" * 1_000)
    assert "".join(word.text for mark in marks for word in mark.words) == "a" * 1_000


def test_the_first_voice_to_try_is_the_one_asked_for() -> None:
    assert voice_names("en-gb", "en", "en-us") == ("en-gb", "en-us", "en")
    assert voice_names("", "en", "en-us") == ("en-us", "en")
    assert voice_names("", "de-AT", "en-us") == ("de-at", "de", "en-us")
    assert voice_names("../../etc/passwd", "", "en-us") == ("en-us",)
