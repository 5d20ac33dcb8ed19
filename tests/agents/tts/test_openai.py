import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from agents.runtime.errors import AgentError, BackendBusy, BackendTimeout, BackendUnavailable
from agents.tts.backends.base import Marks, Sound
from agents.tts.backends.openai import PIECE_CHARS, OpenAiVoice, Server
from agents.tts.patience import Limits
from agents.tts.prosody import NEUTRAL, Prosody
from protocols.messages.speech import WordMark
from tests.fakes.speech_server import RATE_HZ, Behaviour, SpeechServer, spoken, tone, wav

TEXT = "Hello there, my friend."
IMPATIENT = Limits(first_s=0.5, idle_s=0.5, total_s=9.0)
PATIENT = Limits(first_s=5.0, idle_s=5.0, total_s=5.0)


@asynccontextmanager
async def voice_of(
    server: SpeechServer, limits: Limits = PATIENT, speed: float = 1.0
) -> AsyncIterator[OpenAiVoice]:
    voice = OpenAiVoice(Server(server.base_url, "tiny", "alloy", "secret", speed), limits)
    yield voice
    await voice.close()


async def parts_of(
    voice: OpenAiVoice, text: str = TEXT, prosody: Prosody = NEUTRAL, name: str = ""
) -> list[Marks | Sound]:
    async with aclosing(voice.speak(text, prosody, "en", name)) as parts:
        return [part async for part in parts]


def pcm(parts: list[Marks | Sound]) -> bytes:
    return b"".join(part.pcm for part in parts if isinstance(part, Sound))


def words(parts: list[Marks | Sound]) -> list[WordMark]:
    return [word for part in parts if isinstance(part, Marks) for word in part.words]


async def failure(
    *behaviours: Behaviour, limits: Limits = PATIENT
) -> tuple[AgentError, list[Marks | Sound]]:
    """What a phrase fails with, and what was heard of it."""
    heard: list[Marks | Sound] = []
    async with SpeechServer(*behaviours) as server, voice_of(server, limits) as voice:
        with pytest.raises(AgentError) as raised:
            await hear(voice, heard)
    return raised.value, heard


async def hear(voice: OpenAiVoice, heard: list[Marks | Sound]) -> None:
    async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as parts:
        async for part in parts:
            heard.append(part)


async def test_a_phrase_is_asked_for_as_the_api_says_and_comes_as_it_was_made() -> None:
    async with SpeechServer() as server, voice_of(server) as voice:
        parts = await parts_of(voice)
        assert pcm(parts) == spoken(TEXT)
        assert server.requests == [
            {"model": "tiny", "input": TEXT, "voice": "alloy", "response_format": "pcm"}
        ]
        assert "POST /v1/audio/speech" in server.heads[0]
        assert "Bearer secret" in server.heads[0]


async def test_its_words_are_estimated_and_the_last_one_ends_with_the_audio() -> None:
    async with SpeechServer() as server, voice_of(server) as voice:
        marks = words(await parts_of(voice))
    assert " ".join(mark.text for mark in marks) == TEXT
    assert marks[-1].end_ms == len(spoken(TEXT)) // 2 * 1000 // RATE_HZ


async def test_a_feeling_and_the_setting_change_its_speed() -> None:
    async with SpeechServer() as server, voice_of(server, speed=1.1) as voice:
        await parts_of(voice, prosody=Prosody(rate=0.8))
        await parts_of(voice, prosody=Prosody(rate=9.0))
        assert [asked["speed"] for asked in server.requests] == [0.88, 4.0]


async def test_sound_is_given_out_while_the_server_still_makes_more() -> None:
    async with SpeechServer(Behaviour(hangs_after=2)) as server, voice_of(server) as voice:
        async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as parts:
            kinds = [type(await anext(parts)), type(await anext(parts))]
        assert kinds == [Marks, Sound]
        await server.left.wait()


async def test_a_long_text_is_asked_for_in_pieces_on_one_timeline() -> None:
    text = "Once upon a time there was a robot. " * 30
    async with SpeechServer() as server, voice_of(server) as voice:
        parts = await parts_of(voice, text.strip())
        asked = [request["input"] for request in server.requests]
    assert len(asked) > 2
    assert max(map(len, asked)) <= PIECE_CHARS
    marks = words(parts)
    assert " ".join(mark.text for mark in marks) == text.strip()
    edges = [edge for mark in marks for edge in (mark.start_ms, mark.end_ms)]
    assert edges == sorted(edges)
    assert edges[-1] == pytest.approx(len(pcm(parts)) / 2 * 1000 / RATE_HZ, abs=len(asked))


async def test_a_voice_that_the_server_lacks_is_replaced_by_the_usual_one() -> None:
    only_alloy = Behaviour(voices=("alloy",))
    async with SpeechServer(only_alloy) as server, voice_of(server) as voice:
        assert pcm(await parts_of(voice, name="darth")) == spoken(TEXT)
        assert [asked["voice"] for asked in server.requests] == ["darth", "alloy"]


async def test_a_voice_with_a_strange_name_is_not_asked_for() -> None:
    async with SpeechServer() as server, voice_of(server) as voice:
        await parts_of(voice, name="../../etc")
        assert [asked["voice"] for asked in server.requests] == ["alloy"]


@pytest.mark.parametrize("piece_bytes", [1, 7, 4_801, 1 << 20])
async def test_a_wav_file_is_understood_however_it_is_cut(piece_bytes: int) -> None:
    file = Behaviour(body=wav(tone(2_205), 22_050), kind="audio/wav", piece_bytes=piece_bytes)
    async with SpeechServer(file) as server, voice_of(server) as voice:
        parts = await parts_of(voice)
    assert pcm(parts) == tone(2_205)
    assert {part.rate_hz for part in parts if isinstance(part, Sound)} == {22_050}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, BackendBusy),
        (401, BackendUnavailable),
        (500, BackendUnavailable),
        (503, BackendUnavailable),
    ],
)
async def test_a_refusal_has_the_code_that_it_means(status: int, error: type[AgentError]) -> None:
    raised, heard = await failure(Behaviour(status=status))
    assert type(raised) is error
    assert f"the server answered {status}" in str(raised)
    assert "no such thing" in str(raised)
    assert heard == []


@pytest.mark.parametrize(
    "wrong",
    [
        Behaviour(body=b'{"audio": null}', kind="application/json"),
        Behaviour(body=b"<html>", kind="text/html"),
        Behaviour(body=b"\xff\xfb\x90\x64", kind="audio/mpeg"),
        Behaviour(body=b"ID3\x04" + bytes(99)),
        Behaviour(body=b"OggS" + bytes(99)),
        Behaviour(body=wav(tone(99), channels=2)),
        Behaviour(body=wav(tone(99), bits=24)),
        Behaviour(body=b"RIFF\xff\xff\xff\xffWAVE" + b"JUNK\x00\x00\x00\x00" * 999),
        Behaviour(body=b""),
        Behaviour(body=b"RIF"),
        Behaviour(status=418),
    ],
)
async def test_what_is_no_audio_is_refused_with_a_code(wrong: Behaviour) -> None:
    raised, heard = await failure(wrong)
    assert raised.code == "tts_failed"
    assert pcm(heard) == b""


async def test_half_a_sample_at_the_end_is_an_error_and_no_shift() -> None:
    raised, heard = await failure(Behaviour(body=tone(9_000) + b"\1"))
    assert raised.code == "tts_failed"
    assert pcm(heard)[:2_000] == tone(9_000)[:2_000]


async def test_half_a_stream_is_a_failure_after_what_was_heard() -> None:
    raised, heard = await failure(Behaviour(dies_after=3))
    assert isinstance(raised, BackendUnavailable)
    assert 0 < len(pcm(heard)) < len(spoken(TEXT))


async def test_a_server_that_says_nothing_is_given_up() -> None:
    raised, heard = await failure(Behaviour(mute=True), limits=IMPATIENT)
    assert isinstance(raised, BackendTimeout)
    assert heard == []


async def test_a_server_that_stops_in_the_middle_is_given_up() -> None:
    raised, heard = await failure(Behaviour(hangs_after=3), limits=IMPATIENT)
    assert isinstance(raised, BackendTimeout)
    assert pcm(heard)


async def test_a_server_that_is_slow_for_ever_is_given_up() -> None:
    total = Limits(first_s=9.0, idle_s=9.0, total_s=0.5)
    raised, _ = await failure(Behaviour(hangs_after=3), limits=total)
    assert isinstance(raised, BackendTimeout)


async def test_leaving_a_phrase_closes_its_connection() -> None:
    hanging = SpeechServer(Behaviour(hangs_after=2), Behaviour())
    async with hanging as server, voice_of(server) as voice:
        async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as parts:
            await anext(parts)
        await server.left.wait()
        assert pcm(await parts_of(voice)) == spoken(TEXT)


async def test_a_server_that_is_killed_in_mid_stream_is_a_coded_failure() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.speech_server", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    voice = OpenAiVoice(Server((await process.stdout.readline()).decode().strip()), PATIENT)
    heard: list[Marks | Sound] = []

    async def listen() -> None:
        async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as parts:
            async for part in parts:
                heard.append(part)
                if isinstance(part, Sound) and process.returncode is None:
                    process.kill()
                    await process.wait()

    with pytest.raises(BackendUnavailable):
        await listen()
    assert pcm(heard)
    with pytest.raises(BackendUnavailable):
        await voice.start()
    await voice.close()


async def test_it_is_ready_when_the_server_speaks() -> None:
    once = SpeechServer(Behaviour(), Behaviour(status=401))
    async with once as server, voice_of(server) as voice:
        await voice.start()
        with pytest.raises(BackendUnavailable, match="http://127"):
            await voice.start()
