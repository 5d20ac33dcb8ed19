"""What every voice keeps, whatever it speaks with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest

from agents.runtime.slot import EngineSlot
from agents.tts.agent import Jobs, Responses
from agents.tts.backends.base import Marks, Sound, Voice
from agents.tts.backends.espeak import EspeakVoice
from agents.tts.backends.kokoro import KokoroVoice
from agents.tts.backends.openai import OpenAiVoice, Server
from agents.tts.backends.scripted import ScriptedVoice
from agents.tts.backends.shedding import SheddingVoice
from agents.tts.prosody import NEUTRAL, prosody_of
from agents.tts.slotted import SlottedVoice
from agents.tts.speakable import speakable
from protocols.messages.audio import SpeechChunk
from protocols.messages.job import JobDone
from protocols.messages.speech import SpeechCredit, SpeechEnded, SpeechFinish
from protocols.messages.turn import TurnStart
from protocols.vocabulary import EMOTIONS
from tests.agents.tts.kokoro_files import kokoro_files
from tests.agents.tts.spoken import assert_marks_come_first, audio, job, request, samples, words
from tests.fakes.engines import running, slot_of
from tests.fakes.speech_server import SpeechServer
from tests.fakes.two_lists import ListInbox, Outbox, Sent

START = TurnStart(user_text="")
PLENTY = SpeechCredit(until_ms=10_000_000)

TEXTS = {
    "a word": "Hello",
    "sentences": "Hello there, my friend. How are you? I am fine!",
    "numbers": "It is 3.5 km – or 12,000 feet, at 7:45.",
    "clitics": "Out of the blue, for a while, I don't know what it's all about.",
    "other scripts": "Grüße an Zoë, 你好 and здравствуйте.",
    "injected markup": '<speak><voice name="de">Hi</voice></speak> [[h@]] &amp; <b>you</b>',
    "one long word": "a" * 300,
    "punctuation between": "Well ... yes ?! - no",
}


VOICES = (
    "scripted",
    "espeak",
    "kokoro",
    "kokoro without durations",
    "openai",
    "two in one",
    "slotted",
)


@pytest.fixture(params=VOICES)
async def voice(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Voice]:
    async with SpeechServer() as server, AsyncExitStack() as stack:
        if request.param == "slotted":
            slot: EngineSlot[Voice] = slot_of(lambda model: ScriptedVoice())
            await stack.enter_async_context(running(slot))
            engine: Voice = SlottedVoice(slot)
        else:
            engine = voice_named(request.param, tmp_path, server)
        await engine.start()
        yield engine
        await engine.close()


def voice_named(name: str, folder: Path, server: SpeechServer) -> Voice:
    match name:
        case "espeak":
            return EspeakVoice()
        case "kokoro":
            return KokoroVoice(*kokoro_files(folder), threads=1)
        case "kokoro without durations":
            return KokoroVoice(*kokoro_files(folder, durations=False), threads=1)
        case "openai":
            return OpenAiVoice(Server(server.base_url))
        case "two in one":
            return SheddingVoice(ScriptedVoice(rate_hz=24_000), EspeakVoice())
    return ScriptedVoice()


async def response(voice: Voice, *texts: str, rate_hz: int = 16_000) -> list[Sent]:
    service = Responses(voice)
    outbox = Outbox(service)
    requests = [request(text, at, rate_hz=rate_hz) for at, text in enumerate(texts)]
    finish = SpeechFinish(phrases=len(texts))
    await service.serve(ListInbox(START, PLENTY, *requests, finish), outbox)
    return outbox.sent


@pytest.mark.parametrize("name", TEXTS)
async def test_the_marks_of_a_phrase_are_its_words_in_order(voice: Voice, name: str) -> None:
    sent = await response(voice, TEXTS[name], "And more.")
    marks = words(sent)
    assert " ".join(mark.text for mark in marks) == speakable(TEXTS[name]) + " And more."
    edges = [edge for mark in marks for edge in (mark.start_ms, mark.end_ms)]
    assert edges == sorted(edges)
    assert edges[-1] <= samples(sent) // 16 + 1
    assert_marks_come_first(sent)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 48_000])
async def test_a_response_lasts_equally_long_at_every_rate(voice: Voice, rate_hz: int) -> None:
    at_16k = samples(await response(voice, "Hello there.", "Bye.")) / 16_000
    assert samples(await response(voice, "Hello there.", "Bye.", rate_hz=rate_hz)) / rate_hz == (
        pytest.approx(at_16k, abs=0.002)
    )


async def test_each_phrase_ends_where_the_next_begins(voice: Voice) -> None:
    sent = await response(voice, "One two.", "", "Three.", "😀")
    ends = [one.message for one in sent if isinstance(one.message, SpeechEnded)]
    assert [end.phrase for end in ends] == [0, 1, 2, 3]
    edges = [edge for end in ends for edge in (end.first_sample, end.last_sample)]
    assert edges == sorted(edges)
    assert edges[1:-1:2] == edges[2::2]
    assert edges[-1] == samples(sent) > 0
    assert ends[1].first_sample == ends[1].last_sample


async def test_chunks_are_audible_and_say_how_loud_they_are(voice: Voice) -> None:
    sent = await response(voice, "Hello there, my friend.")
    energies = [one.message.energy for one in sent if isinstance(one.message, SpeechChunk)]
    assert max(energies) > 5
    assert any(audio(sent))


@pytest.mark.parametrize("emotion", EMOTIONS)
async def test_every_emotion_can_be_spoken(voice: Voice, emotion: str) -> None:
    async with aclosing(voice.speak("Hello you", prosody_of(emotion, 1.0), "en", "")) as parts:
        kinds = {type(part) async for part in parts}
    assert kinds == {Marks, Sound}


@pytest.mark.parametrize("language", ["en", "de", "fr", "xx", "", "../../etc"])
async def test_every_language_is_spoken_somehow(voice: Voice, language: str) -> None:
    async with aclosing(voice.speak("Hello", NEUTRAL, language, "no such voice")) as parts:
        assert any([isinstance(part, Sound) async for part in parts])


async def test_a_phrase_that_is_left_can_be_followed_by_another_at_once(voice: Voice) -> None:
    service = Responses(voice)
    outbox = Outbox(service)
    story = request("Once upon a time there was a robot. " * 10)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.serve(ListInbox(START, PLENTY, story), outbox))
        await outbox.until(SpeechChunk)
        task.cancel()
    assert samples(await response(voice, "Yes.")) > 0


async def test_ten_thousand_characters_are_spoken_to_the_end(voice: Voice) -> None:
    service = Jobs(voice)
    outbox = Outbox(service)
    text = ("Once upon a time there was a robot. " * 278)[:10_000]
    await service.serve(ListInbox(job(text)), outbox)
    assert outbox.messages[-1] == JobDone(samples=samples(outbox.sent))
    assert " ".join(mark.text for mark in words(outbox.sent)) == text.strip()


async def lasting(voice: Voice, speed: float) -> float:
    """Seconds of a sentence spoken at ``speed``; its words are where its sound is."""
    outbox = Outbox(service := Jobs(voice))
    text = "Once upon a time there was a small robot who lived on a shelf."
    await service.serve(ListInbox(job(text, speed=speed)), outbox)
    marks = words(outbox.sent)
    assert " ".join(mark.text for mark in marks) == text
    assert_marks_come_first(outbox.sent)
    seconds = samples(outbox.sent) / 16_000
    assert seconds - 1 <= marks[-1].end_ms / 1000 <= seconds * 1.02 + 0.02
    return seconds


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.5, 3.0, 4.0])
async def test_a_text_is_spoken_as_fast_as_it_was_asked_for(voice: Voice, speed: float) -> None:
    assert await lasting(voice, speed) == pytest.approx(await lasting(voice, 1.0) / speed, rel=0.25)


@pytest.mark.parametrize("text", ["", "\x00\x00", "<break/>", "😀🎉", "?!"])
async def test_a_job_of_nothing_is_done(voice: Voice, text: str) -> None:
    service = Jobs(voice)
    outbox = Outbox(service)
    await service.serve(ListInbox(job(text)), outbox)
    assert outbox.messages == [JobDone()]
