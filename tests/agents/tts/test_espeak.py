import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from agents.tts.backends.base import Marks, Sound
from agents.tts.backends.espeak import PIECE_CHARS, EspeakVoice, voice_names
from agents.tts.prosody import NEUTRAL, Prosody, prosody_of

STORY = "Once upon a time there was a small robot who lived on a shelf above a quiet kitchen. " * 4
BUFFER_SAMPLES = 1_400
"""espeak-ng's buffer at 22,050 Hz, and a little."""


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
    pcm, marks = b"", []
    async with aclosing(voice.speak(text, prosody, language, name)) as parts:
        async for part in parts:
            if isinstance(part, Sound):
                pcm += part.pcm
            else:
                marks.append(part)
    return np.frombuffer(pcm, dtype="<i2"), marks


def is_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two recordings are of the same words. The engine's oscillators run on from one text
    to the next, so its samples differ a little and its lengths by a few."""
    if abs(len(one) - len(other)) > 50:
        return False
    return bool(np.allclose(contour(one), contour(other), atol=400))


def contour(sound: np.ndarray) -> np.ndarray:
    """RMS of every 50 ms."""
    whole = sound[: len(sound) // 1100 * 1100].astype(float).reshape(-1, 1100)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)))[:-1]


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
    assert not is_same(english, german)
    assert is_same(english, unknown)


async def test_leaving_a_phrase_stops_the_engine_within_a_buffer(voice: EspeakVoice) -> None:
    heard: list[int] = []
    async with aclosing(voice.speak(STORY, NEUTRAL, "en", "")) as parts:
        async for part in parts:
            if isinstance(part, Sound):
                heard.append(len(part.pcm) // 2)
                break
    # One engine, one queue: this word is spoken only once the story has been left.
    async with asyncio.timeout(2):
        word, _ = await spoken(voice, "Yes")
    assert len(word) > BUFFER_SAMPLES
    assert sum(heard) < 22_050 * 2


async def test_phrases_of_many_turns_are_spoken_at_once_and_unmixed(voice: EspeakVoice) -> None:
    alone = {text: (await spoken(voice, text))[0] for text in ("One.", "Two, three.", STORY)}
    async with asyncio.TaskGroup() as group:
        together = [
            (text, group.create_task(spoken(voice, text))) for text in alone for _ in range(3)
        ]
    for text, task in together:
        assert is_same(task.result()[0], alone[text])


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


async def test_it_does_not_run_ahead_of_its_reader_by_more_than_a_piece(
    voice: EspeakVoice,
) -> None:
    async with aclosing(voice.speak(STORY * 20, NEUTRAL, "en", "")) as parts:
        await anext(parts)
        done, _ = await spoken(voice, "Yes")
    assert len(done)


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
    assert max(gaps) < 0.25


async def test_a_word_that_never_ends_is_spoken_in_parts(voice: EspeakVoice) -> None:
    _, marks = await spoken(voice, "a" * 1_000)
    assert "".join(word.text for mark in marks for word in mark.words) == "a" * 1_000


def test_the_first_voice_to_try_is_the_one_asked_for() -> None:
    assert voice_names("en-gb", "en", "en-us") == ("en-gb", "en-us", "en")
    assert voice_names("", "en", "en-us") == ("en-us", "en")
    assert voice_names("", "de-AT", "en-us") == ("de-at", "de", "en-us")
    assert voice_names("../../etc/passwd", "", "en-us") == ("en-us",)
