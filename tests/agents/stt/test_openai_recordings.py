"""Whole recordings at a server of the OpenAI transcription API."""

import asyncio
import json
from math import exp

import pytest

from agents.runtime.errors import AgentError
from agents.stt.backends.base import Asked, NotServed, Understood
from agents.stt.backends.openai import RECORDINGS_AT_ONCE, OpenAiRecogniser
from protocols.messages.transcribe import TranscribeSegment, WordTime
from tests.agents.stt.sessions import SECOND
from tests.agents.stt.test_openai import recogniser_of
from tests.fakes.transcription_server import Behaviour, TranscriptionServer, segment

PLAINLY = Asked()


async def told(
    engine: OpenAiRecogniser, asked: Asked = PLAINLY, pcm: bytes = SECOND
) -> list[TranscribeSegment | Understood]:
    return [each async for each in engine.transcribed(pcm, asked)]


def answer(**fields: object) -> Behaviour:
    """A server that answers just this."""
    return Behaviour(
        raw=json.dumps({"text": "hello robot", "language": "english", **fields}).encode()
    )


async def test_everything_that_was_asked_for_is_in_the_form() -> None:
    async with TranscriptionServer() as server, recogniser_of(server) as engine:
        await told(engine, Asked("de", "Zoe and Leo", 0.25))
        assert server.uploads[0].form == {
            "model": "tiny",
            "response_format": "verbose_json",
            "temperature": "0.25",
            "prompt": "Zoe and Leo",
            "language": "de",
        }
        assert server.uploads[0].pcm == SECOND
        assert server.heads[0].startswith("POST /v1/audio/transcriptions ")


async def test_a_translation_goes_to_its_own_place_and_comes_back_in_english() -> None:
    async with TranscriptionServer(answer(language="german")) as server:
        async with recogniser_of(server) as engine:
            *_, understood = await told(engine, Asked("de", translate=True))
        assert server.heads[0].startswith("POST /v1/audio/translations ")
        assert "language" not in server.uploads[0].form
    assert isinstance(understood, Understood)
    assert understood.language == "en"


async def test_segments_keep_their_times_and_get_the_words_that_begin_in_them() -> None:
    segments = [
        {**segment("hello", -0.5), "start": 0.0, "end": 0.4},
        {**segment(" robot", -0.1, 0.2), "start": 0.4, "end": 1.0},
    ]
    words = [
        {"word": "hello", "start": 0.0, "end": 0.3},
        {"word": "robot", "start": 0.4, "end": 0.9},
    ]
    async with TranscriptionServer(answer(segments=segments, words=words)) as server:
        async with recogniser_of(server) as engine:
            first, second, understood = await told(engine, Asked("en", words=True))
        assert server.uploads[0].form["timestamp_granularities[]"] == "word"
    assert first == TranscribeSegment(
        start_ms=0, end_ms=400, text="hello", confidence=exp(-0.5),
        words=(WordTime(word="hello", start_ms=0, end_ms=300),),
    )  # fmt: skip
    assert isinstance(second, TranscribeSegment)
    assert (second.text, second.no_speech) == ("robot", 0.2)
    assert second.words == (WordTime(word="robot", start_ms=400, end_ms=900),)
    assert isinstance(understood, Understood)
    assert (understood.text, understood.language) == ("hello robot", "en")


async def test_a_server_that_gives_no_segments_gives_one_of_the_whole_length() -> None:
    refuses = Behaviour(refuses=("verbose_json",))
    async with TranscriptionServer(refuses) as server, recogniser_of(server) as engine:
        assert await told(engine) == [
            TranscribeSegment(start_ms=0, end_ms=1_000, text="hello robot"),
            Understood("hello robot"),
        ]


async def test_a_server_without_times_of_words_is_said_to_have_none() -> None:
    async with TranscriptionServer(answer()) as server, recogniser_of(server) as engine:
        with pytest.raises(NotServed) as raised:
            await told(engine, Asked(words=True))
    assert raised.value.code == "words_not_served"


async def test_what_a_recording_was_refused_does_not_change_how_sessions_ask() -> None:
    refuses, takes = Behaviour(refuses=("verbose_json",)), Behaviour()
    async with TranscriptionServer(refuses, refuses, takes) as server:
        async with recogniser_of(server) as engine:
            await told(engine, Asked(prompt="strange"))
            await engine.transcribe(SECOND, "en")
        assert server.uploads[-1].form["response_format"] == "verbose_json"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Behaviour(status=500), "stt_failed"),
        (Behaviour(status=413), "utterance_too_long"),
        (Behaviour(status=429), "backend_busy"),
        (Behaviour(raw=b"<html>"), "stt_failed"),
        (Behaviour(dies=True), "backend_unavailable"),
        (Behaviour(dies_half=True), "backend_unavailable"),
    ],
)
async def test_failures_of_the_server_are_coded(behaviour: Behaviour, code: str) -> None:
    async with TranscriptionServer(behaviour) as server, recogniser_of(server) as engine:
        with pytest.raises(AgentError) as raised:
            await told(engine)
    assert raised.value.code == code


async def test_times_that_are_no_times_are_mended() -> None:
    odd = b'{"text": "hello", "segments": [{"text": "hello", "start": -1, "end": 1e300}]}'
    async with TranscriptionServer(Behaviour(raw=odd)) as server, recogniser_of(server) as engine:
        first, _ = await told(engine)
    assert isinstance(first, TranscribeSegment)
    assert (first.start_ms, first.end_ms) == (0, 86_400_000)


async def test_recordings_take_no_place_of_utterances_and_end_with_who_waits() -> None:
    hangs = [Behaviour(hangs=True)] * RECORDINGS_AT_ONCE
    async with (
        TranscriptionServer(*hangs, Behaviour()) as server,
        recogniser_of(server) as engine,
        asyncio.TaskGroup() as tasks,
    ):
        jobs = [tasks.create_task(told(engine)) for _ in range(RECORDINGS_AT_ONCE + 1)]
        while server.waiting < RECORDINGS_AT_ONCE:
            server.hung.clear()
            await server.hung.wait()
        assert (await engine.transcribe(SECOND, "en")).text == "hello robot"
        assert len(server.uploads) == RECORDINGS_AT_ONCE + 1
        for job in jobs:
            job.cancel()
        await server.left.wait()
