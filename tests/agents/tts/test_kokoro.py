import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.runtime.errors import BackendUnavailable
from agents.tts.backends.base import Marks, Sound
from agents.tts.backends.kokoro import HEAD_MS, RATE_HZ, TAIL_MS, KokoroVoice, voice_name
from agents.tts.prosody import NEUTRAL, Prosody
from tests.agents.tts.kokoro_files import TOKEN_MS, kokoro_files

NAMES = ("af_heart", "am_adam", "bf_emma", "ef_dora", "zf_xiaobei")


@asynccontextmanager
async def kokoro(folder: Path, **options: Any) -> AsyncIterator[KokoroVoice]:
    voice = KokoroVoice(*kokoro_files(folder, **options), threads=1)
    await voice.start()
    yield voice
    await voice.close()


async def spoken(
    voice: KokoroVoice, text: str, prosody: Prosody = NEUTRAL, name: str = ""
) -> tuple[np.ndarray, Marks, int]:
    """Audio, all marks, and in how many pieces it came."""
    pcm, marks, pieces = bytearray(), Marks(), 0
    async with aclosing(voice.speak(text, prosody, "en", name)) as parts:
        async for part in parts:
            if isinstance(part, Sound):
                pcm += part.pcm
                pieces += 1
            else:
                marks = Marks(marks.words + part.words, marks.visemes + part.visemes)
    return np.frombuffer(bytes(pcm), "<i2"), marks, pieces


@pytest.mark.parametrize("durations", [True, False])
async def test_words_sound_when_their_marks_say_so(tmp_path: Path, durations: bool) -> None:
    async with kokoro(tmp_path, durations=durations) as voice:
        sound, marks, _ = await spoken(voice, "Stop. Go, now!")
    loud = np.abs(sound.astype(int)) > 300
    starts = [word.start_ms for word in marks.words]
    for word in marks.words:
        within = loud[word.start_ms * 24 + 100 : word.end_ms * 24 - 100]
        assert within.mean() > 0.9, word
    between = loud[marks.words[0].end_ms * 24 + 100 : starts[1] * 24 - 100]
    assert not between.any()
    assert [v.phoneme for v in marks.visemes][:4] == ["s", "t", "ɑː", "p"]
    assert starts[0] == pytest.approx(HEAD_MS, abs=1)


async def test_silence_around_a_piece_is_cut(tmp_path: Path) -> None:
    async with kokoro(tmp_path) as voice:
        sound, marks, _ = await spoken(voice, "Go.")
    letters = marks.words[0].end_ms - marks.words[0].start_ms
    assert letters == 3 * TOKEN_MS  # a consonant, stress and a diphthong
    silent_ms = min(TAIL_MS, 2 * TOKEN_MS)  # the full stop and the padding
    assert len(sound) * 1000 // RATE_HZ == pytest.approx(HEAD_MS + letters + silent_ms, abs=3)


async def test_a_feeling_changes_how_fast_and_loud_it_speaks(tmp_path: Path) -> None:
    async with kokoro(tmp_path) as voice:
        usual, _, _ = await spoken(voice, "I see a ball")
        slow, _, _ = await spoken(voice, "I see a ball", Prosody(rate=0.8))
        quiet, _, _ = await spoken(voice, "I see a ball", Prosody(volume=0.5))
    assert len(usual) < len(slow)
    assert np.abs(quiet.astype(int)).max() == pytest.approx(np.abs(usual).max() / 2, abs=2)


async def test_a_long_phrase_comes_in_pieces_of_which_the_first_is_short(tmp_path: Path) -> None:
    text = (
        "Well, here I am. " + "Once upon a time there was a small robot, who lived on a shelf. " * 4
    )
    async with kokoro(tmp_path) as voice:
        sound, marks, pieces = await spoken(voice, text.strip())
        async with aclosing(voice.speak(text.strip(), NEUTRAL, "en", "")) as parts:
            first = [word.text for word in (await anext(parts)).words]
    assert pieces == 5
    assert first == ["Well,", "here", "I", "am."]
    assert " ".join(word.text for word in marks.words) == text.strip()
    edges = [edge for word in marks.words for edge in (word.start_ms, word.end_ms)]
    assert edges == sorted(edges)
    assert edges[-1] <= len(sound) * 1000 // RATE_HZ


@pytest.mark.parametrize(
    "options", [{"tokens": "input_ids"}, {"whole_speed": True}, {"vocabulary": {"ɹ": 20, "O": 99}}]
)
async def test_every_export_of_the_model_is_understood(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    async with kokoro(tmp_path, **options) as voice:
        sound, _, _ = await spoken(voice, "go", Prosody(rate=1.2))
    assert len(sound)


async def test_what_has_no_phoneme_that_it_knows_is_marked_and_silent(tmp_path: Path) -> None:
    async with kokoro(tmp_path, vocabulary={"ɹ": 21, "ɛ": 22}) as voice:
        sound, marks, _ = await spoken(voice, "too soon")
    assert not len(sound)
    assert [(word.text, word.end_ms) for word in marks.words] == [("too", 0), ("soon", 0)]


async def test_numbers_that_take_too_long_to_read_out_are_made_in_halves(tmp_path: Path) -> None:
    async with kokoro(tmp_path) as voice:
        text = "777 " * 25
        sound, marks, pieces = await spoken(voice, text.strip())
    assert pieces == 1
    assert [word.text for word in marks.words] == ["777"] * 25
    assert len(sound) * 1000 // RATE_HZ > 510 * TOKEN_MS
    starts = [word.start_ms for word in marks.words]
    assert starts == sorted(starts)
    assert marks.words[-1].end_ms <= len(sound) * 1000 // RATE_HZ


async def test_leaving_a_phrase_takes_its_next_piece_out_of_the_queue(tmp_path: Path) -> None:
    async with kokoro(tmp_path) as voice:
        story = "Once upon a time there was a robot. " * 20
        async with aclosing(voice.speak(story, NEUTRAL, "en", "")) as parts:
            await anext(parts)
        async with asyncio.timeout(10):
            sound, _, _ = await spoken(voice, "Yes")
    assert len(sound)


async def test_many_speak_at_once_and_unmixed(tmp_path: Path) -> None:
    async with kokoro(tmp_path) as voice:
        texts = ("One.", "Two, three.", "Four five six seven.")
        alone = [(await spoken(voice, text))[0] for text in texts]
        async with asyncio.TaskGroup() as group:
            together = [group.create_task(spoken(voice, text)) for text in texts]
    for sound, task in zip(alone, together, strict=True):
        assert np.array_equal(sound, task.result()[0])


async def test_it_speaks_only_while_it_is_loaded(tmp_path: Path) -> None:
    async with kokoro(tmp_path) as voice:
        pass
    with pytest.raises(BackendUnavailable, match="not loaded"):
        await spoken(voice, "Yes")


async def test_files_that_are_not_there_or_not_its_own_are_refused(tmp_path: Path) -> None:
    files = kokoro_files(tmp_path)
    nothing, noise = tmp_path / "none", tmp_path / "noise"
    noise.write_bytes(b"noise")
    other = tmp_path / "other.npz"
    np.savez(other, af_heart=np.zeros(3, np.float32))
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, af_heart=np.array([{}], dtype=object))
    for model, voices, voice in [
        (nothing, files.voices, "af_heart"),
        (noise, files.voices, "af_heart"),
        (files.model, nothing, "af_heart"),
        (files.model, noise, "af_heart"),
        (files.model, other, "af_heart"),
        (files.model, pickled, "af_heart"),
        (files.model, files.voices, "af_nobody"),
    ]:
        with pytest.raises(BackendUnavailable):
            await KokoroVoice(model, voices, voice, threads=1).start()


@pytest.mark.parametrize(
    ("asked", "language", "usual", "name"),
    [
        ("", "en", "af_heart", "af_heart"),
        ("am_adam", "en", "af_heart", "am_adam"),
        ("nobody", "en", "am_adam", "am_adam"),
        ("", "en-GB", "af_heart", "bf_emma"),
        ("", "en", "bf_emma", "bf_emma"),
        ("", "es", "af_heart", "ef_dora"),
        ("", "es-MX", "af_heart", "ef_dora"),
        ("", "zh", "af_heart", "zf_xiaobei"),
        ("", "de", "af_heart", "af_heart"),
        ("", "", "af_heart", "af_heart"),
    ],
)
def test_the_voice_is_the_one_asked_for_or_one_of_the_language(
    asked: str, language: str, usual: str, name: str
) -> None:
    assert voice_name(asked, language, usual, NAMES) == name
