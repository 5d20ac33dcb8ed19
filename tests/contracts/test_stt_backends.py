"""What every recogniser must do, whatever it understands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import numpy as np
import pytest

from agents.runtime.errors import BackendUnavailable
from agents.runtime.slot import EngineSlot
from agents.stt.backends.base import (
    RECOGNISERS,
    Asked,
    Hypothesis,
    Recogniser,
    Redecoding,
    Stream,
    Understood,
    transcribing,
)
from agents.stt.backends.faster_whisper import FasterWhisper
from agents.stt.backends.openai import PARTIAL_STEP_BYTES, OpenAiRecogniser, Server
from agents.stt.backends.pocketsphinx import PocketSphinx
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.stt.choice import chosen
from agents.stt.models import find_model
from agents.stt.settings import SttSettings
from agents.stt.slotted import SlottedRecogniser
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.transcribe import TranscribeSegment
from tests.agents.ears.microphone import Samples, mixed, noise, recording, silence
from tests.agents.stt import tiny_whisper
from tests.agents.stt.measure_wer import word_errors
from tests.fakes.engines import running, slot_of
from tests.fakes.transcription_server import Behaviour, TranscriptionServer, segment
from tests.recordings import demo_recording

SENTENCE = demo_recording("long_story.wav")


@pytest.fixture(scope="module")
def whisper_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper.build(tmp_path_factory.mktemp("models") / "tiny-random")


@pytest.fixture
async def server() -> AsyncIterator[TranscriptionServer]:
    """It hears one sentence, whatever it is sent."""
    text = SENTENCE.text
    async with TranscriptionServer(Behaviour(text, segments=(segment(text, -0.1),))) as server:
        yield server


HEAVY = {"pocketsphinx": pytest.mark.engine}
"""A whole language model: 15 s of a core for what every recogniser must do."""


@pytest.fixture(
    params=[pytest.param(name, marks=HEAVY.get(name, ())) for name in sorted(RECOGNISERS)]
    + ["slotted"]
)
async def recogniser(
    request: pytest.FixtureRequest, whisper_model: Path, server: TranscriptionServer
) -> AsyncIterator[Recogniser]:
    engines: dict[str, Recogniser] = {
        "faster_whisper": FasterWhisper(whisper_model, threads=1),
        "openai": OpenAiRecogniser(Server(server.base_url)),
        "pocketsphinx": PocketSphinx(),
        "scripted": ScriptedRecogniser(),
    }
    slot: EngineSlot[Recogniser] = slot_of(lambda model: ScriptedRecogniser(model=model))
    engines["slotted"] = SlottedRecogniser(slot, redecoding=False)
    backend = engines[request.param]
    async with running(slot):
        await backend.start()
        yield backend
        await backend.close()


def sentence(recogniser: Recogniser) -> tuple[bytes, str]:
    """A sentence as ``recogniser`` hears it, and its words."""
    sound = mixed(silence(0.3), recording(SENTENCE.path), silence(0.3)).tobytes()
    if recogniser.name == "scripted":
        sound = marked_chunk(MarkKind.START, len(sound) // 2, SENTENCE.text)
    return sound, SENTENCE.text


async def fed(stream: Stream, pcm: bytes, step: int = 4_096) -> list[Hypothesis]:
    """Feed ``pcm`` in steps; what the stream said meanwhile."""
    told = []
    for at in range(0, len(pcm), step):
        hypothesis = await stream.feed(pcm[at : at + step])
        if hypothesis is not None:
            told.append(hypothesis)
    if isinstance(stream, Redecoding) and len(pcm) >= PARTIAL_STEP_BYTES:
        told.append(await stream.partial())
    return told


async def test_an_utterance_grows_and_ends(recogniser: Recogniser) -> None:
    stream = recogniser.stream("en")
    pcm, _ = sentence(recogniser)
    told = await fed(stream, pcm)
    final = await stream.finish()
    assert told
    assert all(0 <= one.stable_chars <= len(one.text) for one in told)
    for one in told:
        stable = one.text[: one.stable_chars]
        assert final.text.startswith(stable)
    assert final.language == "en"
    assert final.confidence == -1 or 0 <= final.confidence <= 1
    await stream.close()


async def test_one_stream_takes_utterance_after_utterance(recogniser: Recogniser) -> None:
    stream = recogniser.stream("en")
    pcm, _ = sentence(recogniser)
    finals = []
    for _ in range(2):
        await fed(stream, pcm, step=len(pcm))
        finals.append((await stream.finish()).text)
    assert bool(finals[0]) == bool(finals[1])
    await stream.close()


async def test_a_reset_forgets_what_was_heard(recogniser: Recogniser) -> None:
    pcm, _ = sentence(recogniser)
    fresh, used = recogniser.stream("en"), recogniser.stream("en")
    await fed(used, pcm)
    await used.reset()
    await fed(used, bytes(16_000))
    after_reset = await used.finish()
    await used.close()
    await fed(fresh, bytes(16_000))
    assert (await fresh.finish()).text == after_reset.text
    await fresh.close()


async def test_streams_do_not_hear_each_other(recogniser: Recogniser) -> None:
    pcm, text = sentence(recogniser)
    speaking, quiet = recogniser.stream("en"), recogniser.stream("en")
    await fed(speaking, pcm)
    spoken = await speaking.finish()
    await fed(quiet, bytes(16_000))
    await quiet.finish()
    await fed(speaking, pcm)
    again = await speaking.finish()
    if recogniser.name != "faster_whisper":
        assert word_errors(text, spoken.text) <= 1
        assert word_errors(text, again.text) <= 1
    await speaking.close()
    await quiet.close()


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.int16),
        np.zeros(1, np.int16),
        silence(1.0),
        noise(1.0, rms=3_000),
        np.full(16_000, 32_767, np.int16),
    ],
    ids=["nothing", "one sample", "silence", "noise", "stuck at full scale"],
)
async def test_sound_without_words_is_no_error(recogniser: Recogniser, sound: Samples) -> None:
    stream = recogniser.stream("en")
    await stream.feed(sound.tobytes())
    assert isinstance((await stream.finish()).text, str)
    await stream.close()


async def test_a_language_tag_with_a_region_is_understood(recogniser: Recogniser) -> None:
    stream = recogniser.stream("en-US")
    await stream.feed(bytes(16_000))
    assert (await stream.finish()).language.startswith("en")
    await stream.close()


async def test_a_closed_stream_leaves_the_engine_to_others(recogniser: Recogniser) -> None:
    pcm, _ = sentence(recogniser)
    for _ in range(3):
        stream = recogniser.stream("en")
        await stream.feed(pcm[:32_000])
        await stream.close()
    stream = recogniser.stream("en")
    await stream.feed(bytes(16_000))
    await stream.finish()
    await stream.close()


@pytest.mark.parametrize("tag", ["auto", ""])
async def test_a_language_that_is_to_be_found_out_is_reported_or_left_open(
    recogniser: Recogniser, tag: str
) -> None:
    stream = recogniser.stream(tag)
    await stream.feed(bytes(16_000))
    assert (await stream.finish()).language in ("en", "")
    await stream.close()


async def test_a_final_that_is_left_half_way_leaves_the_stream_as_good_as_new(
    recogniser: Recogniser,
) -> None:
    pcm, _ = sentence(recogniser)
    stream, fresh = recogniser.stream("en"), recogniser.stream("en")
    await fed(stream, pcm)
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await stream.finish()
    await stream.reset()
    await stream.feed(bytes(16_000))
    after = await stream.finish()
    await stream.close()
    await fresh.feed(bytes(16_000))
    assert after == await fresh.finish()
    await fresh.close()


# whole recordings


async def transcribed(
    recogniser: Recogniser, pcm: bytes, asked: Asked
) -> tuple[list[TranscribeSegment], Understood]:
    """The stretches of a recording, and what is understood of all."""
    told = [each async for each in transcribing(recogniser).transcribed(pcm, asked)]
    segments = [each for each in told if isinstance(each, TranscribeSegment)]
    understood = told[-1]
    assert isinstance(understood, Understood)
    assert len(told) == len(segments) + 1
    return segments, understood


async def test_a_recording_is_understood_stretch_by_stretch(recogniser: Recogniser) -> None:
    pcm, text = sentence(recogniser)
    segments, understood = await transcribed(recogniser, pcm, Asked("en"))
    assert understood.language == "en"
    # Not every language has spaces between its words.
    assert "".join("".join(one.text for one in segments).split()) == "".join(
        understood.text.split()
    )
    times = [ms for one in segments for ms in (one.start_ms, one.end_ms)]
    assert times == sorted(times)
    assert all(0 <= ms <= len(pcm) // 32 for ms in times)
    assert not any(one.words for one in segments)
    if recogniser.name != "faster_whisper":
        assert word_errors(text, understood.text) <= 1


async def test_a_recording_of_silence_is_no_error(recogniser: Recogniser) -> None:
    if recogniser.name == "openai":
        pytest.skip("the server hears its sentence in anything")
    for pcm in (bytes(2), bytes(32_000 * 3)):
        segments, understood = await transcribed(recogniser, pcm, Asked())
        assert (segments, understood.text) == ([], "")


async def test_a_recording_that_is_left_leaves_the_engine_to_others(
    recogniser: Recogniser,
) -> None:
    pcm, _ = sentence(recogniser)
    asked = Asked("en", temperature=0.0)
    whole = await transcribed(recogniser, pcm, asked)
    async with aclosing(transcribing(recogniser).transcribed(pcm, asked)) as told:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(told)
    assert await transcribed(recogniser, pcm, asked) == whole


# pocketsphinx alone


@pytest.mark.engine
@pytest.mark.parametrize("name", ["find_the_ball.wav", "turn_around.wav"])
async def test_the_embedded_recogniser_understands_a_stranger(name: str) -> None:
    backend = PocketSphinx()
    await backend.start()
    stream = backend.stream("en")
    voice = demo_recording(name)
    sound = mixed(silence(0.3), recording(voice.path), silence(0.3)).tobytes()
    told = await fed(stream, sound)
    assert word_errors(voice.text, (await stream.finish()).text) <= 1
    assert len(told) > 3
    await backend.close()


async def heard(stream: Stream, pcm: bytes, step: int) -> str:
    await fed(stream, pcm, step)
    return (await stream.finish()).text


@pytest.mark.engine
async def test_the_embedded_recogniser_hears_the_same_however_sound_is_cut_and_whoever_spoke() -> (
    None
):
    backend = PocketSphinx()
    await backend.start()
    speech = recording(demo_recording("before.wav").path)
    # In strong noise, where a little difference in what the decoder was told changes words.
    pcm = mixed(silence(0.3), speech, silence(0.3), rms=800.0).tobytes()
    first = await heard(backend.stream("en"), pcm, 3_200)
    await heard(backend.stream("en"), noise(3.0, rms=3_000).tobytes(), 3_200)
    assert first
    assert await heard(backend.stream("en"), pcm, 1_702) == first
    assert await heard(backend.stream("en"), pcm, len(pcm)) == first
    await backend.close()


@pytest.mark.engine
async def test_the_embedded_recogniser_decodes_a_known_speaker_from_the_first_word() -> None:
    backend = PocketSphinx()
    await backend.start()
    stream = backend.stream("en")
    voice = demo_recording("before.wav")
    pcm = mixed(silence(0.3), recording(voice.path), silence(0.3)).tobytes()
    early = pcm[: 2 * 16_000]
    assert not await fed(stream, early)
    await stream.reset()
    await heard(stream, pcm, 3_200)
    assert await fed(stream, early)
    await backend.close()


# faster-whisper alone


async def test_a_model_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match=str(tmp_path)):
        await FasterWhisper(tmp_path).start()


async def test_a_language_the_model_does_not_know_falls_back_to_its_own(
    whisper_model: Path,
) -> None:
    backend = FasterWhisper(whisper_model, threads=1)
    await backend.start()
    stream = backend.stream("xx")
    await stream.feed(bytes(16_000))
    assert (await stream.finish()).language == "en"
    await backend.close()


# which one is chosen


def settings_for(tmp_path: Path, **values: object) -> SttSettings:
    return SttSettings.model_validate({"bus_dir": tmp_path, **values})


def test_auto_takes_whisper_where_its_model_is_on_disk(whisper_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, model_size="tiny-random", models_dir=whisper_model.parent)
    choice = chosen(settings)
    assert choice.recogniser.name == "faster_whisper"
    assert str(whisper_model) in choice.reason


def test_auto_takes_the_embedded_one_where_it_is_not(tmp_path: Path) -> None:
    choice = chosen(settings_for(tmp_path, model_size="nowhere/to-be-found"))
    assert choice.recogniser.name == "pocketsphinx"
    assert "nowhere/to-be-found is not on disk" in choice.reason


def test_whisper_by_name_fetches_a_model_that_is_not_on_disk(tmp_path: Path) -> None:
    choice = chosen(settings_for(tmp_path, backend="faster_whisper", model_size="nowhere/to-be"))
    assert choice.recogniser.name == "faster_whisper"
    assert choice.recogniser.model == "nowhere/to-be"
    assert choice.reason == "whisper model nowhere/to-be is not on disk and is fetched"


def test_whisper_by_name_that_may_not_fetch_its_model_is_refused(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path, backend="faster_whisper", model_size="nowhere/to-be", download=False
    )
    with pytest.raises(BackendUnavailable, match="`robot-hub models pull nowhere/to-be`"):
        chosen(settings)


def test_whisper_is_told_how_it_is_to_run(whisper_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, model_size=str(whisper_model), beam_size=3, workers=2)
    engine = chosen(settings).recogniser
    assert isinstance(engine, FasterWhisper)
    assert (engine.model, engine.beams_final, engine.capacity) == ("tiny-random", 3, 16)


def test_openai_takes_the_server_that_is_its_own(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path, backend="openai", stt_base_url="http://ear:8000/v1",
        openai_base_url="http://mind/v1", openai_api_key="secret",
    )  # fmt: skip
    assert chosen(settings).recogniser.name == "openai"
    assert settings.endpoint == ("http://ear:8000/v1", "")


@pytest.mark.parametrize(("own", "sent"), [("", "one"), ("mine", "mine")])
def test_openai_takes_the_first_of_the_planners_servers_else(
    own: str, sent: str, tmp_path: Path
) -> None:
    settings = settings_for(
        tmp_path, backend="openai", stt_api_key=own,
        openai_base_url="http://mind/v1#big, http://other/v1", openai_api_key="one,two",
    )  # fmt: skip
    assert settings.endpoint == ("http://mind/v1", sent)


def test_openai_without_a_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="STT_BASE_URL or OPENAI_BASE_URL"):
        chosen(settings_for(tmp_path, backend="openai"))


def test_a_model_without_its_tokenizer_does_not_count(whisper_model: Path, tmp_path: Path) -> None:
    for file in whisper_model.iterdir():
        if file.name != "tokenizer.json":
            (tmp_path / file.name).symlink_to(file)
    assert find_model(str(tmp_path)) is None
    assert find_model(str(whisper_model)) == whisper_model.resolve()
