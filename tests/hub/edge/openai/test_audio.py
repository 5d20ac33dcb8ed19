"""``/v1/audio``, asked by OpenAI's own client."""

import asyncio
import re
from io import BytesIO
from typing import Any

import av
import httpx
import numpy as np
import pytest
from openai import InternalServerError, NotFoundError
from openai.types.audio import TranscriptionVerbose

from hub.edge.audio_formats import encode
from hub.edge.openai.transcripts import verbose, vtt
from hub.edge.openai.voices import VOICES, voice_of
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.transcribe import TranscribeDone, TranscribeSegment
from tests.hub.edge.openai.conftest import Api
from tests.hub.edge.test_auth import bearer
from tests.virtual_time import until

SECOND = 32_000


def recording(*texts: str) -> bytes:
    """A WAV of a second for each of ``texts``, which scripted stt hears in it."""
    pcm = b"".join(marked_chunk(MarkKind.START, 1_600, text).ljust(SECOND, b"\0") for text in texts)
    return encode(pcm, "wav", 16_000)


TWO = recording("good morning", "dear <robot>")


async def test_a_recording_becomes_its_text(api: Api) -> None:
    answer = await api.client.audio.transcriptions.create(
        model="whisper-1", file=("a.wav", TWO), language="en", prompt="Robots", temperature=0
    )
    assert answer.text == "good morning dear <robot>"
    assert answer.usage is not None
    assert answer.usage.model_dump() == {"type": "duration", "seconds": 2}


@pytest.mark.parametrize("name", ["mp3", "opus", "flac", "aac", "wav"])
async def test_any_format_is_read(api: Api, name: str) -> None:
    tone = (8_000 * np.sin(np.arange(24_000) / 20)).astype("<i2").tobytes()
    answer = await api.client.audio.transcriptions.create(
        model="scripted", file=(f"a.{name}", encode(tone, name, 24_000))
    )
    assert answer.text == "hello robot"


async def test_times_are_told_to_whom_wants_them(api: Api) -> None:
    ask = api.client.audio.transcriptions.create
    answer = await ask(model="whisper-1", file=TWO, response_format="verbose_json", language="en")
    assert isinstance(answer, TranscriptionVerbose)
    assert (answer.language, answer.duration, answer.words) == ("en", 2.0, None)
    first, second = answer.segments or ()
    assert (first.start, first.end, first.text) == (0.0, 1.0, "good morning")
    assert (second.id, second.start, second.end) == (1, 1.0, 2.0)
    assert first.avg_logprob == 0.0

    words = await ask(
        model="whisper-1",
        file=TWO,
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert isinstance(words, TranscriptionVerbose)
    assert words.segments is None
    assert [word.word for word in words.words or ()] == ["good", "morning", "dear", "<robot>"]
    assert (words.words or [])[0].start == 0.0

    both = await ask(
        model="whisper-1",
        file=TWO,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert isinstance(both, TranscriptionVerbose)
    assert (len(both.segments or ()), len(both.words or ())) == (2, 4)


async def test_subtitles_and_plain_text(api: Api) -> None:
    ask = api.client.audio.transcriptions.create
    assert await ask(model="whisper-1", file=TWO, response_format="text") == (
        "good morning dear <robot>\n"
    )
    assert await ask(model="whisper-1", file=TWO, response_format="srt") == (
        "1\n00:00:00,000 --> 00:00:01,000\ngood morning\n\n"
        "2\n00:00:01,000 --> 00:00:02,000\ndear <robot>\n\n"
    )
    assert await ask(model="whisper-1", file=TWO, response_format="vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\ngood morning\n\n"
        "00:00:01.000 --> 00:00:02.000\ndear &lt;robot&gt;\n\n"
    )


async def test_a_text_is_streamed_stretch_by_stretch(api: Api) -> None:
    stream = await api.client.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe", file=TWO, stream=True
    )
    events = [told async for told in stream]
    assert [told.type for told in events] == ["transcript.text.delta"] * 2 + [
        "transcript.text.done"
    ]
    assert [getattr(told, "delta", None) or getattr(told, "text", "") for told in events] == [
        "good morning", " dear <robot>", "good morning dear <robot>",
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # so does the client call it
async def test_what_is_said_is_told_in_english(api: Api) -> None:
    answer = await api.client.audio.translations.create(model="whisper-1", file=TWO)
    assert answer.text == "good morning dear <robot>"
    told = await api.client.audio.translations.create(
        model="whisper-1", file=TWO, response_format="verbose_json"
    )
    assert told.language == "en"
    assert [segment.text for segment in told.segments or ()] == ["good morning", "dear <robot>"]


async def test_other_refusals_of_recordings(api: Api) -> None:
    with pytest.raises(NotFoundError):
        await api.client.audio.transcriptions.create(model="tiny-chat", file=TWO)
    with pytest.raises(InternalServerError) as caught:
        await api.client.audio.transcriptions.create(
            model="whisper-1", file=recording("!stt_failed")
        )
    assert (caught.value.status_code, caught.value.code) == (502, "stt_failed")
    async with httpx.AsyncClient(base_url=api.url, trust_env=False) as http:
        form = {"model": (None, "whisper-1")}
        answer = await http.post("/v1/audio/transcriptions", files=form)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


def decoded(data: bytes) -> tuple[float, float]:
    """Length in seconds, and the loudest sample (0 to 1)."""
    with av.open(BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    sound = np.concatenate([np.asarray(f, np.float64).reshape(-1) for f in frames])
    scale = 1.0 if frames[0].dtype.kind == "f" else np.iinfo(frames[0].dtype).max
    return len(sound) / rate, float(np.abs(sound).max() / scale)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("flac", "audio/flac"), ("wav", "audio/wav"),
     ("aac", "audio/aac")],
)  # fmt: skip
async def test_speech_comes_in_every_format(api: Api, name: Any, media_type: str) -> None:
    async with api.client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="one two three four five", response_format=name
    ) as answer:
        assert answer.headers["content-type"] == media_type
        data = await answer.read()
    seconds, peak = decoded(data)
    assert seconds == pytest.approx(1.0, abs=0.15)
    assert 0.15 < peak < 0.4


async def test_pcm_is_24_khz_and_mp3_what_is_sent_unasked(api: Api) -> None:
    ask = api.client.audio.speech.create
    pcm = await ask(model="tts-1", voice="alloy", input="one two", response_format="pcm")
    assert len(pcm.content) == 2 * 24_000 * 2 // 5
    mp3 = await ask(model="tts-1", voice="alloy", input="one two")
    assert mp3.response.headers["content-type"] == "audio/mpeg"


async def test_voice_and_speed_reach_the_engine(api: Api) -> None:
    await api.client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="af_heart", input="one two", speed=1.5, instructions="kindly"
    )
    assert api.voice.asked[-1][1:] == ("af_heart", 1.5)


async def test_speech_is_sent_while_it_is_made(api: Api) -> None:
    api.voice.slow_down(0.05)
    async with api.client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="word " * 200, response_format="pcm"
    ) as answer:
        async for first in answer.iter_bytes():
            assert first
            break
        assert (api.voice.opened, api.voice.closed) == (1, 0)
    await until(lambda: api.voice.closed, within_s=10)
    await api.cancelled()


async def test_speech_as_events(api: Api) -> None:
    async with httpx.AsyncClient(base_url=api.url, trust_env=False) as http:
        body = {"model": "tts-1", "voice": {"id": "alloy"}, "input": "one two",
                "stream_format": "sse", "response_format": "wav"}  # fmt: skip
        answer = await http.post("/v1/audio/speech", json=body)
    kinds = re.findall(r'"type":"([a-z.]+)"', answer.text)
    assert kinds[0] == "speech.audio.delta"
    assert kinds[-1] == "speech.audio.done"


async def test_a_voice_that_fails_has_a_status_before_its_first_sound_only(api: Api) -> None:
    api.voice.fail_at(0)
    with pytest.raises(InternalServerError):
        await api.client.audio.speech.create(model="tts-1", voice="alloy", input="one two")
    api.voice.fail_at(3)
    cut = await api.client.audio.speech.create(
        model="tts-1", voice="alloy", input="one two three four", response_format="pcm"
    )
    assert len(cut.content) <= 2 * 24_000 * 3 // 5


async def test_a_client_that_goes_away_stops_the_recogniser_and_the_voice(api: Api) -> None:
    api.voice.slow_down(0.05)
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(base_url=api.url) as http:
        body = {"model": "tts-1", "voice": "alloy", "input": "word " * 500}
        asking = tasks.create_task(http.post("/v1/audio/speech", json=body))
        await until(lambda: api.voice.opened, within_s=10)
        asking.cancel()
    await until(lambda: api.voice.closed, within_s=10)
    await api.cancelled()


def test_every_engine_has_a_voice_for_each_of_openai() -> None:
    names = {name for voices in VOICES.values() for name in voices}
    assert all(voices.keys() == names for voices in VOICES.values())
    assert voice_of("Nova", "kokoro") == "af_nova"
    assert voice_of("af_heart", "kokoro") == "af_heart"
    assert voice_of("nova", "openai") == "nova"


def test_how_sure_a_stretch_is_and_how_it_compresses_is_told_as_whisper_does() -> None:
    segment = TranscribeSegment(
        start_ms=0, end_ms=3_723_004, text="la " * 50, confidence=0.5, no_speech=0.25
    )
    done = TranscribeDone(text=segment.text, language="fr", audio_ms=3_723_004)
    told = verbose(done, [segment], task="transcribe", temperature=0.2, words=True, stretches=True)
    (stretch,) = told["segments"]
    assert stretch["avg_logprob"] == pytest.approx(-0.693, abs=0.001)
    assert stretch["compression_ratio"] > 5
    assert (stretch["no_speech_prob"], stretch["temperature"], told["words"]) == (0.25, 0.2, [])
    assert "00:00:00.000 --> 01:02:03.004\n" in vtt([segment])


async def test_speech_is_a_job_of_whoever_asked_for_it(api: Api) -> None:
    mine, other, admin = (
        tokens.create(api.db, label=name, scope=scope)
        for name, scope in (("a", Scope.CLIENT), ("b", Scope.CLIENT), ("c", Scope.ADMIN))
    )
    asked = {"model": "tts-1", "voice": "alloy", "input": "hello"}
    body = {"text": "hello", "robot_id": "r1"}
    async with httpx.AsyncClient(base_url=api.url) as http:
        await http.post("/v1/audio/speech", json=asked, headers=bearer(mine))
        await http.post("/tts", json=body, headers=bearer(mine))

        async def owners(token: str) -> list[str | None]:
            answer = await http.get("/jobs?job_class=speech", headers=bearer(token))
            return [job["client"] for job in answer.json()["jobs"]]

        (owner,) = set(await owners(mine))
        assert owner
        assert await owners(mine) == await owners(admin) == [owner, owner]
        assert await owners(other) == [None, None]
