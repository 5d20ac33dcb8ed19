"""The openai recogniser against a real server of its protocol, well behaved and not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable
from agents.stt.agent import Stt
from agents.stt.backends.base import EngineRefuses, Transcript
from agents.stt.backends.languages import CODES, code_of
from agents.stt.backends.openai import (
    MAX_ANSWER_BYTES,
    PARTIALS_AT_ONCE,
    REQUESTS_AT_ONCE,
    OpenAiPartials,
    OpenAiRecogniser,
    Server,
    preferred,
)
from agents.stt.waiting import OnceItStarts
from tests.agents.stt.sessions import SECOND, session
from tests.fakes.transcription_server import Behaviour, TranscriptionServer, segment
from tests.virtual_time import until


@asynccontextmanager
async def recogniser_of(
    server: TranscriptionServer,
    model: str = "tiny",
    *,
    timeout_s: float = 20.0,
    partials: bool = True,
) -> AsyncIterator[OpenAiRecogniser]:
    engine = OpenAiRecogniser(Server(server.base_url, model, "secret", timeout_s, partials))
    try:
        yield engine
    finally:
        await engine.close()


async def heard(server: TranscriptionServer, language: str = "en") -> Transcript:
    """What the server makes of a second of sound."""
    async with recogniser_of(server) as engine:
        stream = engine.stream(language)
        await stream.feed(SECOND)
        return await stream.finish()


async def failure(server: TranscriptionServer, timeout_s: float = 20.0) -> str:
    """The code with which a second of sound fails."""
    async with recogniser_of(server, timeout_s=timeout_s) as engine:
        with pytest.raises(AgentError) as raised:
            await engine.transcribe(SECOND, "en")
    return raised.value.code


# what is sent


async def test_an_utterance_goes_up_whole_as_16_khz_mono_wav() -> None:
    pcm = bytes(range(256)) * 100
    async with TranscriptionServer() as server, recogniser_of(server) as engine:
        stream = engine.stream("en-US")
        for at in range(0, len(pcm), 3_200):
            await stream.feed(pcm[at : at + 3_200])
        await stream.finish()
    (upload,) = server.uploads
    assert (upload.pcm, upload.rate_hz, upload.channels) == (pcm, 16_000, 1)
    assert upload.filename == "utterance.wav"
    assert upload.form == {
        "model": "tiny",
        "response_format": "verbose_json",
        "temperature": "0",
        "language": "en",
    }
    assert "Authorization: Bearer secret" in server.heads[0]


@pytest.mark.parametrize("language", ["auto", ""])
async def test_a_language_to_be_found_out_is_not_named(language: str) -> None:
    async with TranscriptionServer(Behaviour(language="german")) as server:
        assert (await heard(server, language)).language == "de"
    assert "language" not in server.uploads[0].form


async def test_sentence_after_sentence_goes_up_one_connection() -> None:
    async with TranscriptionServer() as server, recogniser_of(server) as engine:
        for _ in range(3):
            await engine.transcribe(SECOND, "en")
    assert (len(server.uploads), server.connections) == (3, 1)


async def test_less_sound_than_a_server_takes_is_not_sent() -> None:
    async with TranscriptionServer() as server, recogniser_of(server) as engine:
        stream = engine.stream("en")
        await stream.feed(bytes(3_000))
        assert await stream.finish() == Transcript("", "en")
    assert not server.uploads


# what is made of the answer


async def test_the_sureness_of_every_token_counts_alike() -> None:
    segments = (segment("turn", -0.1, tokens=1), segment(" left now", -0.5, tokens=3))
    async with TranscriptionServer(Behaviour(segments=segments)) as server:
        text, language, confidence = await heard(server)
    assert (text, language) == ("turn left now", "en")
    assert confidence == pytest.approx(2.718281828 ** (-(0.1 + 3 * 0.5) / 4))


async def test_what_was_invented_for_silence_is_nothing() -> None:
    segments = (segment("Thank you.", -0.2, no_speech_prob=0.97),)
    async with TranscriptionServer(Behaviour("Thank you.", segments=segments)) as server:
        assert await heard(server) == Transcript("", "en", 0.0)


@pytest.mark.parametrize("segments", [(), ({"text": "hello robot"},)], ids=["none", "unsure"])
async def test_a_server_that_does_not_say_how_sure_it_is_leaves_the_confidence_unknown(
    segments: tuple[dict[str, object], ...],
) -> None:
    async with TranscriptionServer(Behaviour(segments=segments)) as server:
        assert await heard(server) == Transcript("hello robot", "en", -1.0)


@pytest.mark.parametrize(
    ("reported", "code"),
    [("english", "en"), ("Haitian Creole", "ht"), ("de-CH", "de"), ("yue", "yue"), ("elvish", "")],
)
def test_languages_are_known_by_name_and_by_code(reported: str, code: str) -> None:
    assert code_of(reported) == code


def test_the_languages_are_those_of_the_library() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert sorted(CODES.values()) == sorted(_LANGUAGE_CODES)


@pytest.mark.parametrize("status", [400, 415, 422, 501])
async def test_a_refused_format_is_replaced_and_the_refusal_remembered(status: int) -> None:
    refusing = Behaviour(refuses=("verbose_json",), refusal_status=status)
    async with TranscriptionServer(refusing) as server, recogniser_of(server) as engine:
        for _ in range(2):
            assert await engine.transcribe(SECOND, "en") == Transcript("hello robot", "en", -1.0)
    formats = [upload.form["response_format"] for upload in server.uploads]
    assert formats == ["verbose_json", "json", "json"]


async def test_a_server_that_is_ill_does_not_lose_its_confidence_for_good() -> None:
    behaviours = (Behaviour(status=500), Behaviour())
    async with TranscriptionServer(*behaviours) as server, recogniser_of(server) as engine:
        with pytest.raises(AgentError):
            await engine.transcribe(SECOND, "en")
        await engine.transcribe(SECOND, "en")
    assert [upload.form["response_format"] for upload in server.uploads] == ["verbose_json"] * 2


# failures


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "stt_failed"),
        (401, "backend_unavailable"),
        (404, "backend_unavailable"),
        (413, "utterance_too_long"),
        (429, "backend_busy"),
        (500, "stt_failed"),
        (503, "backend_unavailable"),
    ],
)
async def test_each_refusal_has_its_code(status: int, code: str) -> None:
    async with TranscriptionServer(Behaviour(status=status)) as server:
        assert await failure(server) == code


@pytest.mark.parametrize(
    "raw",
    [
        b'{"text": "hello ro',
        b"<html>hello</html>",
        b'{"text": 5}',
        b'{"error": {"message": "out of memory"}}',
        b'{"text": "a", "segments": [{"avg_logprob": "high"}]}',
        b"",
        b"x" * (MAX_ANSWER_BYTES + 1),
    ],
    ids=["half", "html", "mistyped", "error", "bad segment", "empty", "endless"],
)
async def test_an_answer_that_is_no_transcript_fails_the_utterance(raw: bytes) -> None:
    async with TranscriptionServer(Behaviour(raw=raw)) as server:
        assert await failure(server) == "stt_failed"


@pytest.mark.parametrize(
    "how", [Behaviour(dies=True), Behaviour(dies_half=True)], ids=["before", "in mid-answer"]
)
async def test_a_server_that_dies_is_unavailable(how: Behaviour) -> None:
    async with TranscriptionServer(how) as server:
        assert await failure(server) == "backend_unavailable"


@pytest.mark.parametrize(
    "how", [Behaviour(hangs=True), Behaviour(hangs_half=True)], ids=["before", "in mid-answer"]
)
async def test_a_server_that_falls_silent_is_a_timeout_and_loses_its_connection(
    how: Behaviour,
) -> None:
    async with TranscriptionServer(how) as server:
        assert await failure(server, timeout_s=0.2) == "backend_timeout"
        await until(server.left.is_set)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with TranscriptionServer() as server:
        pass
    assert await failure(server) == "backend_unavailable"


async def test_a_stream_is_as_good_as_new_after_a_failure() -> None:
    behaviours = (Behaviour(status=500), Behaviour("turn left"))
    async with TranscriptionServer(*behaviours) as server, recogniser_of(server) as engine:
        robot = Stt(engine)
        async with session(robot) as spoken:
            for utterance in (1, 2):
                await spoken.chunk(utterance, 0, SECOND)
                await spoken.finish(utterance, 16_000)
            await until(lambda: spoken.finals)
    assert spoken.failures == ["stt_failed"]
    assert spoken.finals == [(2, "turn left")]
    assert len(server.uploads[1].pcm) == len(SECOND)


# partials


async def test_partials_come_with_every_second_and_what_two_agree_on_is_stable() -> None:
    texts = ("turn", "turn left", "turn left now", "Turn left now.")
    behaviours = [Behaviour(text) for text in texts]
    async with (
        TranscriptionServer(*behaviours) as server,
        recogniser_of(server) as engine,
        session(Stt(engine)) as robot,
    ):
        for second in range(3):
            await robot.chunk(1, second * 16_000, SECOND)
            await until(lambda expected=second + 1: len(robot.partials) == expected)
        await robot.finish(1, 48_000)
        await until(lambda: robot.finals)
    assert robot.partials == ["turn", "turn left", "turn left now"]
    assert robot.finals == [(1, "turn left now.")]
    assert [len(upload.pcm) for upload in server.uploads] == [
        len(SECOND) * seconds for seconds in (1, 2, 3, 3)
    ]


async def test_one_request_is_in_flight_and_the_final_waits_for_no_partial() -> None:
    behaviours = (Behaviour(hangs=True), Behaviour("turn left"))
    async with (
        TranscriptionServer(*behaviours) as server,
        recogniser_of(server) as engine,
        session(Stt(engine)) as robot,
    ):
        for second in range(3):
            await robot.chunk(1, second * 16_000, SECOND)
        await until(lambda: server.waiting)
        assert len(server.uploads) == 1
        await robot.finish(1, 48_000)
        await until(lambda: robot.finals)
        await until(server.left.is_set)
    assert robot.finals == [(1, "turn left")]
    assert server.most_waiting == 1


async def test_a_partial_that_fails_is_counted_and_the_final_comes() -> None:
    behaviours = (Behaviour(status=429), Behaviour("turn left"))
    async with TranscriptionServer(*behaviours) as server, recogniser_of(server) as engine:
        stt = Stt(engine)
        async with session(stt) as robot:
            await robot.chunk(1, 0, SECOND)
            await until(lambda: stt.counters["partial.backend_busy"])
            await robot.finish(1, 16_000)
            await until(lambda: robot.finals)
    assert (robot.partials, robot.failures) == ([], [])


async def test_without_partials_an_utterance_is_one_request() -> None:
    async with (
        TranscriptionServer() as server,
        recogniser_of(server, partials=False) as engine,
        session(Stt(engine)) as robot,
    ):
        for second in range(3):
            await robot.chunk(1, second * 16_000, SECOND)
        await robot.finish(1, 48_000)
        await until(lambda: robot.finals)
    assert not robot.partials
    assert len(server.uploads) == 1


async def test_a_partial_takes_no_request_that_a_final_may_need() -> None:
    hanging = Behaviour(hangs=True)
    async with (
        TranscriptionServer(hanging) as server,
        recogniser_of(server) as engine,
        asyncio.TaskGroup() as tasks,
    ):
        asked = [tasks.create_task(engine.partial(SECOND, "en")) for _ in range(PARTIALS_AT_ONCE)]
        await until(lambda: server.waiting == PARTIALS_AT_ONCE)
        with pytest.raises(BackendBusy):
            await engine.partial(SECOND, "en")
        for task in asked:
            task.cancel()


# leaving and bounds


async def test_a_dropped_utterance_closes_its_connection_and_the_next_one_is_heard() -> None:
    behaviours = (Behaviour(hangs=True), Behaviour("turn left"))
    async with (
        TranscriptionServer(*behaviours) as server,
        recogniser_of(server) as engine,
        session(Stt(engine)) as robot,
    ):
        await robot.chunk(1, 0, SECOND[:16_000])
        await robot.finish(1, 8_000)
        await until(lambda: server.waiting)
        await robot.drop(1)
        await until(server.left.is_set)
        await robot.chunk(2, 16_000, SECOND[:16_000])
        await robot.finish(2, 24_000)
        await until(lambda: robot.finals)
    assert robot.finals == [(2, "turn left")]
    assert not robot.failures


async def test_a_released_session_closes_its_connection() -> None:
    async with (
        TranscriptionServer(Behaviour(hangs=True)) as server,
        recogniser_of(server) as engine,
    ):
        async with session(Stt(engine)) as robot:
            await robot.chunk(1, 0, SECOND)
            await robot.finish(1, 16_000)
            await until(lambda: server.waiting)
        await until(lambda: not server.waiting)


async def test_no_more_requests_are_made_at_once_than_are_allowed() -> None:
    async with (
        TranscriptionServer(Behaviour(hangs=True)) as server,
        recogniser_of(server) as engine,
        asyncio.TaskGroup() as tasks,
    ):
        asked = [
            tasks.create_task(engine.transcribe(SECOND, "en")) for _ in range(REQUESTS_AT_ONCE + 3)
        ]
        await until(lambda: server.waiting == REQUESTS_AT_ONCE)
        asked[0].cancel()
        await until(lambda: len(server.uploads) == REQUESTS_AT_ONCE + 1)
        for task in asked:
            task.cancel()
    assert server.most_waiting == REQUESTS_AT_ONCE


# the start


@pytest.mark.parametrize(
    ("listed", "chosen"),
    [
        (("a", "whisper-1"), "whisper-1"),
        (("llama", "Systran/faster-whisper-base"), "Systran/faster-whisper-base"),
        (("gpt-4o", "gpt-4o-transcribe"), "gpt-4o-transcribe"),
        (("voice", "ear"), "voice"),
        ((), "whisper-1"),
    ],
)
def test_a_model_is_chosen_from_what_is_listed(listed: tuple[str, ...], chosen: str) -> None:
    assert preferred(listed) == chosen


async def test_the_model_chosen_at_the_start_is_asked() -> None:
    async with (
        TranscriptionServer(models=("b", "my-whisper")) as server,
        recogniser_of(server, model="") as engine,
    ):
        await engine.start()
        await engine.transcribe(SECOND, "en")
        assert engine.model == "my-whisper"
    assert server.uploads[0].form["model"] == "my-whisper"


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_a_server_without_a_list_is_asked_for_the_usual_model(status: int) -> None:
    async with (
        TranscriptionServer(list_status=status) as server,
        recogniser_of(server, model="") as engine,
    ):
        await engine.start()
        assert engine.model == "whisper-1"


async def test_a_server_that_does_not_take_the_key_is_not_waited_for() -> None:
    async with TranscriptionServer(list_status=401) as server, recogniser_of(server) as engine:
        with pytest.raises(EngineRefuses, match="the server answered 401"):
            await OnceItStarts(engine).start()


async def test_a_server_that_comes_up_later_is_waited_for() -> None:
    naps: list[float] = []
    server = TranscriptionServer()
    async with server:
        pass
    port = int(server.base_url.rpartition(":")[2].partition("/")[0])
    async with recogniser_of(server) as engine:

        async def up(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 2:
                await server.listen(port)

        with pytest.raises(BackendUnavailable):
            await engine.start()
        try:
            await OnceItStarts(engine, up).start()
        finally:
            await server.__aexit__()
    assert len(naps) == 2


@pytest.mark.parametrize("address", ["", "localhost:8000", "ftp://host/v1", "http://a b/v1"])
def test_an_address_that_is_none_is_refused_by_name(address: str) -> None:
    with pytest.raises(BackendUnavailable, match="STT_BASE_URL"):
        OpenAiRecogniser(Server(address))


async def test_streams_with_partials_are_made_only_where_they_are_wanted() -> None:
    async with TranscriptionServer() as server:
        async with recogniser_of(server) as engine:
            assert isinstance(engine.stream("en"), OpenAiPartials)
        async with recogniser_of(server, partials=False) as engine:
            assert not isinstance(engine.stream("en"), OpenAiPartials)
