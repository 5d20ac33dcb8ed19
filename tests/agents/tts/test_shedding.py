import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.service import Counting
from agents.tts.agent import Responses
from agents.tts.backends.base import Marks, Sound, Voice
from agents.tts.backends.scripted import ScriptedVoice
from agents.tts.backends.shedding import FIRST_SOUND_S, SheddingVoice
from agents.tts.prosody import NEUTRAL
from agents.tts.relief import RESTS_S
from protocols.messages.speech import SpeechCredit, SpeechFinish, WordMark
from protocols.messages.turn import TurnStart
from tests.agents.tts.spoken import assert_marks_come_first, request, samples
from tests.agents.tts.spoken import words as words_of
from tests.fakes.two_lists import ListInbox, Outbox
from tests.virtual_time import virtual

TEXT = "one two three four"
BROKEN = AgentError("no breath", code="voice_lost")


class Missing(ScriptedVoice):
    """A voice that does not start."""

    async def start(self) -> None:
        raise BackendUnavailable("not installed")


def shedding(preferred: Voice, fallback: Voice | None = None, **options: Any) -> SheddingVoice:
    return SheddingVoice(preferred, fallback or espeak(), **options)


def orpheus(**options: Any) -> ScriptedVoice:
    voice = ScriptedVoice(**({"rate_hz": 24_000} | options))
    voice.name = "orpheus"
    return voice


def espeak(**options: Any) -> ScriptedVoice:
    voice = ScriptedVoice(**({"rate_hz": 22_050, "word_ms": 100} | options))
    voice.name = "espeak"
    return voice


async def hear(voice: Voice, text: str = TEXT) -> list[Marks | Sound]:
    async with aclosing(voice.speak(text, NEUTRAL, "en", "")) as parts:
        return [part async for part in parts]


def words(parts: list[Marks | Sound]) -> list[WordMark]:
    return [word for part in parts if isinstance(part, Marks) for word in part.words]


def rates(parts: list[Marks | Sound]) -> list[int]:
    """The rates of the sounds, each once in a row."""
    found = [part.rate_hz for part in parts if isinstance(part, Sound)]
    return [rate for at, rate in enumerate(found) if at == 0 or found[at - 1] != rate]


def lasts_ms(parts: list[Marks | Sound]) -> float:
    return sum(len(part.pcm) * 500 / part.rate_hz for part in parts if isinstance(part, Sound))


@virtual
async def test_the_preferred_voice_speaks_while_it_is_well() -> None:
    voice = shedding(orpheus())
    await voice.start()
    parts = await hear(voice)
    assert rates(parts) == [24_000]
    assert [word.text for word in words(parts)] == TEXT.split()
    assert voice.counters == {}
    assert voice.info == {"fallback": "espeak"}
    assert (voice.name, voice.rate_hz) == ("orpheus", 24_000)
    await voice.close()


@pytest.mark.parametrize(
    ("threshold", "others", "rate_hz"),
    [(0, 1, 22_050), (1, 1, 24_000), (1, 2, 22_050), (None, 9, 24_000)],
)
@virtual
async def test_more_phrases_than_the_threshold_go_to_the_other_voice(
    threshold: int | None, others: int, rate_hz: int
) -> None:
    voice = shedding(orpheus(pause_s=1.0), threshold=threshold)
    async with asyncio.TaskGroup() as group:
        for _ in range(others):
            group.create_task(hear(voice))
        await asyncio.sleep(0.5)
        assert rates(await hear(voice)) == [rate_hz]
    assert voice.counters["shed_busy"] == (rate_hz == 22_050)
    assert rates(await hear(voice)) == [24_000]


@virtual
async def test_a_busy_voice_without_another_says_so() -> None:
    voice = shedding(orpheus(pause_s=1.0), Missing(), threshold=0)
    await voice.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(hear(voice))
        await asyncio.sleep(0.5)
        with pytest.raises(AgentError) as raised:
            await hear(voice)
    assert raised.value.code == "tts_busy_no_fallback"


@virtual
async def test_a_voice_that_fails_at_once_is_replaced_at_once_and_rests() -> None:
    broken = orpheus(fails_at=0, error=BROKEN)
    voice = shedding(broken)
    for _ in range(3):
        parts = await hear(voice)
        assert rates(parts) == [22_050]
        assert [word.start_ms for word in words(parts)] == [0, 100, 200, 300]
    assert broken.opened == 1
    assert voice.counters == {"shed_failed": 1, "shed_resting": 2}
    await asyncio.sleep(RESTS_S + 0.1)
    await hear(voice)
    assert broken.opened == 2
    await asyncio.sleep(RESTS_S + 0.1)
    await hear(voice)
    assert broken.opened == 2


@virtual
async def test_a_voice_that_is_well_again_is_forgiven() -> None:
    preferred = orpheus(fails_at=0, error=BROKEN)
    voice = shedding(preferred)
    await hear(voice)
    preferred._fails_at = -1
    await asyncio.sleep(RESTS_S + 0.1)
    assert rates(await hear(voice)) == [24_000]
    preferred._fails_at = 0
    await hear(voice)
    await asyncio.sleep(RESTS_S + 0.1)
    await hear(voice)
    assert preferred.opened == 4


@pytest.mark.parametrize("fails_at", [1, 2, 3])
@virtual
async def test_a_phrase_that_breaks_off_goes_on_at_the_first_word_that_was_not_begun(
    fails_at: int,
) -> None:
    voice = shedding(orpheus(fails_at=fails_at, error=BROKEN))
    parts = await hear(voice)
    assert [word.text for word in words(parts)] == TEXT.split()
    starts = [200 * at for at in range(fails_at)]
    starts += [200 * fails_at + 100 * at for at in range(4 - fails_at)]
    assert [word.start_ms for word in words(parts)] == starts
    assert rates(parts) == [24_000, 22_050]
    assert lasts_ms(parts) == pytest.approx(200 * fails_at + 100 * (4 - fails_at), abs=1)
    assert voice.counters == {"shed_broke_off": 1}


class HalfWords(ScriptedVoice):
    """Breaks off in the middle of its second word."""

    async def speak(self, *args: Any, **kwargs: Any) -> Any:
        async with aclosing(ScriptedVoice.speak(self, *args, **kwargs)) as parts:
            sounds = 0
            async for part in parts:
                sounds += isinstance(part, Sound)
                if sounds == 2:
                    yield Sound(part.pcm[: len(part.pcm) // 4 * 2])
                    raise BROKEN
                yield part


@virtual
async def test_no_word_begins_before_one_that_was_broken_off_has_ended() -> None:
    voice = shedding(HalfWords(rate_hz=24_000))
    parts = await hear(voice)
    assert [word.text for word in words(parts)] == TEXT.split()
    assert [word.start_ms for word in words(parts)] == [0, 200, 400, 500]
    assert lasts_ms(parts) == pytest.approx(600, abs=1)


@virtual
async def test_nothing_is_left_to_say_after_the_last_word() -> None:
    text = "one two –"
    fallback = espeak()
    voice = shedding(orpheus(fails_at=2, error=BROKEN), fallback)
    parts = await hear(voice, text)
    assert [word.text for word in words(parts)] == text.split()
    assert fallback.opened == 0


@virtual
async def test_a_voice_that_does_not_begin_is_too_late() -> None:
    loop = asyncio.get_running_loop()
    late = orpheus(pause_s=60.0)
    voice = shedding(late)
    begun = loop.time()
    assert rates(await hear(voice)) == [22_050]
    assert loop.time() - begun == pytest.approx(FIRST_SOUND_S)
    assert late.closed == 1
    assert voice.counters == {"shed_late": 1}


@virtual
async def test_a_voice_that_waits_because_it_is_ahead_is_not_late() -> None:
    voice = shedding(orpheus(pause_s=5.0))
    async with aclosing(voice.speak("one", NEUTRAL, "en", "", lambda: 4.0)) as parts:
        assert rates([part async for part in parts]) == [24_000]


@virtual
async def test_a_voice_without_another_may_take_its_time_and_fails_as_itself() -> None:
    voice = shedding(orpheus(pause_s=60.0), Missing())
    await voice.start()
    assert voice.info == {}
    assert rates(await hear(voice, "one")) == [24_000]
    voice = shedding(orpheus(fails_at=0, error=BROKEN), Missing())
    await voice.start()
    for _ in range(2):
        with pytest.raises(AgentError) as raised:
            await hear(voice)
        assert raised.value.code == "voice_lost"


@virtual
async def test_two_broken_voices_fail_as_the_second() -> None:
    other = AgentError("nor me", code="other_lost")
    voice = shedding(orpheus(fails_at=0, error=BROKEN), espeak(fails_at=0, error=other))
    with pytest.raises(AgentError) as raised:
        await hear(voice)
    assert raised.value.code == "other_lost"


@virtual
async def test_leaving_a_phrase_leaves_the_voice_that_speaks_it() -> None:
    preferred, fallback = orpheus(), espeak()
    voice = shedding(preferred, fallback, threshold=0)
    async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as parts:
        await anext(parts)
        async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as others:
            await anext(others)
            assert fallback.opened - fallback.closed == 1
    assert (preferred.closed, fallback.closed) == (1, 1)
    assert rates(await hear(voice)) == [24_000]


@virtual
async def test_a_preferred_voice_that_must_start_and_does_not_is_the_end() -> None:
    with pytest.raises(BackendUnavailable):
        await shedding(Missing()).start()
    with pytest.raises(BackendUnavailable):
        await shedding(Missing(), Missing(), must_start=False).start()


@virtual
async def test_a_preferred_voice_that_may_be_missing_is_replaced_and_said_so() -> None:
    voice = shedding(Missing(), must_start=False)
    await voice.start()
    assert voice.name == "espeak"
    assert "not installed" in voice.info["reason"]
    assert rates(await hear(voice)) == [22_050]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 48_000])
@virtual
async def test_a_response_is_one_timeline_whoever_speaks_it(rate_hz: int) -> None:
    service = Responses(shedding(orpheus(fails_at=2, error=BROKEN)))
    outbox = Outbox(service)
    phrases = [request(TEXT, at, rate_hz=rate_hz) for at in range(2)]
    plenty, finish = SpeechCredit(until_ms=10_000_000), SpeechFinish(phrases=2)
    await service.serve(ListInbox(TurnStart(user_text=""), plenty, *phrases, finish), outbox)
    assert samples(outbox.sent) / rate_hz == pytest.approx(0.6 + 0.4, abs=0.003)
    marks = words_of(outbox.sent)
    assert [mark.text for mark in marks] == TEXT.split() * 2
    edges = [edge for mark in marks for edge in (mark.start_ms, mark.end_ms)]
    assert edges == sorted(edges)
    assert_marks_come_first(outbox.sent)
    assert isinstance(service, Counting)
    assert service.counters == {"shed_broke_off": 1, "shed_resting": 1}
