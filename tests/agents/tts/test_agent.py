import asyncio
from array import array
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.errors import AgentError
from agents.tts.agent import Jobs, Responses
from agents.tts.backends.base import Lead, Marks, Sound, Voice, no_lead
from agents.tts.backends.off import NoVoice
from agents.tts.backends.scripted import ScriptedVoice
from agents.tts.credit import CHUNK_MS, FIRST_CHUNK_MS, Credit
from agents.tts.prosody import Prosody
from agents.tts.speaker import Speaker
from protocols.envelope import Message
from protocols.messages.audio import SpeechChunk
from protocols.messages.job import JobDone
from protocols.messages.speech import (
    SpeechCredit,
    SpeechEnded,
    SpeechFinish,
    SpeechMarks,
    WordMark,
)
from protocols.messages.turn import TurnStart
from tests.agents.tts.spoken import RATE_HZ, job, request, samples, words
from tests.fakes.two_lists import ListInbox, Outbox, Sent
from tests.virtual_time import run, virtual

START = TurnStart(user_text="")
MS = RATE_HZ // 1000
PLENTY = SpeechCredit(until_ms=10_000_000)


async def response(voice: Voice, *messages: Message) -> list[Sent]:
    """What is sent for a response; its inbox stays open, as the runtime's does."""
    service = Responses(voice)
    outbox = Outbox(service)
    await service.serve(ListInbox(START, *messages), outbox)
    return outbox.sent


def ended(sent: Sequence[Sent]) -> list[SpeechEnded]:
    return [one.message for one in sent if isinstance(one.message, SpeechEnded)]


@virtual
async def test_phrases_follow_each_other_on_one_timeline() -> None:
    sent = await response(
        ScriptedVoice(), PLENTY, request("one two"), request("three", 1), SpeechFinish(phrases=2)
    )
    assert samples(sent) == 600 * MS
    assert words(sent) == [
        WordMark("one", 0, 200),
        WordMark("two", 200, 400),
        WordMark("three", 400, 600),
    ]
    assert ended(sent) == [
        SpeechEnded(phrase=0, first_sample=0, last_sample=400 * MS, rate_hz=RATE_HZ),
        SpeechEnded(phrase=1, first_sample=400 * MS, last_sample=600 * MS, rate_hz=RATE_HZ),
    ]


@virtual
async def test_a_phrase_begins_with_a_short_chunk() -> None:
    sent = await response(ScriptedVoice(), PLENTY, request("one two"), SpeechFinish(phrases=1))
    sizes = [len(one.blob) // 2 // MS for one in sent if one.blob]
    assert sizes == [FIRST_CHUNK_MS, *[CHUNK_MS] * 3, 400 - FIRST_CHUNK_MS - 3 * CHUNK_MS]


@virtual
async def test_nothing_is_sent_without_credit_but_marks() -> None:
    service = Responses(ScriptedVoice())
    inbox, outbox = ListInbox(START, request("one two three")), Outbox(service)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.serve(inbox, outbox))
        await asyncio.sleep(1)
        assert [type(m) for m in outbox.messages] == [SpeechMarks]
        inbox.put(SpeechCredit(until_ms=250))
        await asyncio.sleep(1)
        assert samples(outbox.sent) == 250 * MS
        inbox.put(SpeechCredit(until_ms=100))
        await asyncio.sleep(1)
        assert samples(outbox.sent) == 250 * MS
        inbox.put(SpeechCredit(until_ms=260))
        await asyncio.sleep(1)
        assert samples(outbox.sent) == 250 * MS
        inbox.put(SpeechFinish(phrases=1))
        inbox.put(SpeechCredit(until_ms=5000))
        await task
    assert samples(outbox.sent) == 600 * MS


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.lists(st.integers(0, 4000), max_size=10),
    st.sampled_from([8_000, 16_000, 22_050, 24_000, 48_000]),
)
def test_the_timeline_has_no_gap_and_keeps_within_the_credit(
    lengths: list[int], grants: list[int], rate_hz: int
) -> None:
    async def scenario() -> None:
        service = Responses(ScriptedVoice(word_ms=150))
        inbox, outbox = ListInbox(START), Outbox(service)
        for phrase, length in enumerate(lengths):
            inbox.put(request(" ".join(["word"] * length), phrase, rate_hz=rate_hz))
        inbox.put(SpeechFinish(phrases=len(lengths)))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(service.serve(inbox, outbox))
            granted = 0
            for grant in grants:
                inbox.put(SpeechCredit(until_ms=grant))
                granted = max(granted, grant)
                await asyncio.sleep(1)
                assert samples(outbox.sent) <= granted * rate_hz // 1000
            inbox.put(PLENTY)
            await task
        total = samples(outbox.sent)
        ends = ended(outbox.sent)
        assert [end.phrase for end in ends] == list(range(len(lengths)))
        edges = [edge for end in ends for edge in (end.first_sample, end.last_sample)]
        assert edges[0] == 0
        assert edges[-1] == total
        assert edges[1:-1:2] == edges[2::2]
        assert abs(total - sum(lengths) * 150 * rate_hz // 1000) <= 2 * len(lengths)
        assert len(words(outbox.sent)) == sum(lengths)

    run(scenario())


@virtual
async def test_a_phrase_may_be_requested_while_another_is_spoken() -> None:
    service = Responses(ScriptedVoice(pause_s=1.0))
    inbox, outbox = ListInbox(START, PLENTY, request("one two")), Outbox(service)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.serve(inbox, outbox))
        await outbox.until(SpeechChunk)
        inbox.put(request("three", 1))
        inbox.put(SpeechFinish(phrases=2))
    assert [end.phrase for end in ended(outbox.sent)] == [0, 1]


@virtual
async def test_sound_is_sent_while_the_phrase_is_still_being_made() -> None:
    service = Responses(ScriptedVoice(pause_s=1.0))
    outbox = Outbox(service)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            service.serve(ListInbox(START, PLENTY, request("one two three")), outbox)
        )
        await asyncio.sleep(1.5)
        assert samples(outbox.sent) == (FIRST_CHUNK_MS + CHUNK_MS) * MS
        task.cancel()


@pytest.mark.parametrize("text", ["", "   ", "<laugh>", "😀", "...", "\x00", "*sighs*"])
@virtual
async def test_a_phrase_without_words_has_an_end_and_no_sound(text: str) -> None:
    sent = await response(ScriptedVoice(), request(text), SpeechFinish(phrases=1))
    assert [one.message for one in sent] == [
        SpeechEnded(phrase=0, first_sample=0, last_sample=0, rate_hz=RATE_HZ)
    ]


@virtual
async def test_a_response_without_phrases_is_over() -> None:
    assert await response(ScriptedVoice(), SpeechFinish(phrases=0)) == []


@virtual
async def test_cancelling_a_response_stops_its_voice() -> None:
    voice = ScriptedVoice(pause_s=1.0)
    service = Responses(voice)
    outbox = Outbox(service)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            service.serve(ListInbox(START, PLENTY, request("one two three")), outbox)
        )
        await outbox.until(SpeechChunk)
        task.cancel()
    assert (voice.opened, voice.closed) == (1, 1)


@virtual
async def test_a_response_that_is_closed_before_it_is_sent_fails_with_a_code() -> None:
    service = Responses(ScriptedVoice())
    inbox = ListInbox(START, SpeechCredit(until_ms=100), request("one two"))
    inbox.close()
    with pytest.raises(AgentError) as raised:
        await service.serve(inbox, Outbox(service))
    assert raised.value.code == "speech_abandoned"


@virtual
async def test_a_voice_that_fails_in_the_middle_fails_the_response_as_itself() -> None:
    error = AgentError("no breath", code="voice_lost")
    service = Responses(ScriptedVoice(fails_at=1, error=error))
    outbox = Outbox(service)
    with pytest.raises(AgentError, match="no breath"):
        await service.serve(ListInbox(START, PLENTY, request("one two")), outbox)
    assert samples(outbox.sent) > 0


@virtual
async def test_without_a_voice_every_phrase_is_refused() -> None:
    with pytest.raises(AgentError) as raised:
        await response(NoVoice(), PLENTY, request("hello"))
    assert raised.value.code == "tts_disabled"


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 48_001, 10**9])
@virtual
async def test_rates_that_no_robot_has_are_refused(rate_hz: int) -> None:
    with pytest.raises(AgentError) as raised:
        await response(ScriptedVoice(), PLENTY, request("hello", rate_hz=rate_hz))
    assert raised.value.code == "bad_rate"


@virtual
async def test_the_rate_of_a_response_does_not_change() -> None:
    with pytest.raises(AgentError) as raised:
        await response(ScriptedVoice(), PLENTY, request("one"), request("two", 1, rate_hz=24_000))
    assert raised.value.code == "bad_rate"


async def speak_job(*messages: Message) -> list[Sent]:
    service = Jobs(ScriptedVoice())
    outbox = Outbox(service)
    await service.serve(ListInbox(*messages), outbox)
    return outbox.sent


@virtual
async def test_a_job_speaks_its_whole_text_without_credit() -> None:
    sent = await speak_job(job("one two three"))
    assert samples(sent) == 600 * MS
    assert sent[-1].message == JobDone(samples=600 * MS)
    assert len(words(sent)) == 3


@virtual
async def test_a_job_without_words_is_done_at_once() -> None:
    assert [one.message for one in await speak_job(job("😀"))] == [JobDone()]


@virtual
async def test_a_job_that_is_given_credit_keeps_to_it() -> None:
    service = Jobs(ScriptedVoice(pause_s=0.1))
    inbox, outbox = ListInbox(job("one two three"), SpeechCredit(until_ms=300)), Outbox(service)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.serve(inbox, outbox))
        await asyncio.sleep(5)
        assert samples(outbox.sent) == 300 * MS
        inbox.put(PLENTY)
        await task
    assert outbox.messages[-1] == JobDone(samples=600 * MS)


class ListeningVoice(ScriptedVoice):
    """Remembers how each phrase was to be spoken, and how far ahead it was before each word."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.leads: list[float] = []

    async def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        self.tags.append(prosody.tag)
        async with aclosing(super().speak(text, prosody, language, voice)) as parts:
            async for part in parts:
                self.leads.append(round(lead(), 2))
                yield part


@virtual
async def test_only_the_first_phrase_of_a_response_begins_with_the_sound_of_a_feeling() -> None:
    voice = ListeningVoice()
    silent = request("<laugh>", 0, emotion="sad", intensity=1.0)
    sad = [request("so sad", at, emotion="sad", intensity=1.0) for at in (1, 2)]
    await response(voice, PLENTY, silent, *sad, SpeechFinish(phrases=3))
    await response(voice, PLENTY, sad[0], SpeechFinish(phrases=1))
    assert voice.tags == ["sigh", "", "sigh"]


@virtual
async def test_a_voice_knows_how_far_it_is_ahead_of_what_can_have_been_played() -> None:
    voice = ListeningVoice()
    loop = asyncio.get_running_loop()
    outbox = Outbox(Responses(voice))
    speaker = Speaker(voice, outbox, Credit(10_000), RATE_HZ, clock=loop.time)
    await speaker.speak(0, request("one two three"))
    # The marks come before the first word; what is too short for a chunk is not sent yet.
    assert voice.leads == [0.0, 0.0, 0.13, 0.33]
    await asyncio.sleep(0.5)
    await speaker.speak(1, request("four five", 1))
    assert voice.leads[4:] == [0.1, 0.1, 0.23]


@virtual
async def test_a_job_that_nobody_plays_as_it_comes_is_never_ahead() -> None:
    voice = ListeningVoice()
    service = Jobs(voice)
    await service.serve(ListInbox(job("one two three")), Outbox(service))
    assert set(voice.leads) == {0.0}


@virtual
async def test_a_phrase_is_as_loud_as_it_is_asked_for() -> None:
    loud, soft = [
        await response(
            ScriptedVoice(), PLENTY,
            msgspec.structs.replace(request("one two"), volume=volume), SpeechFinish(phrases=1),
        )
        for volume in (1.0, 0.5)
    ]  # fmt: skip
    peaks = [max(array("h", b"".join(one.blob for one in sent))) for sent in (loud, soft)]
    assert peaks[0] > 0
    assert peaks[1] == pytest.approx(peaks[0] / 2, abs=1)
    assert samples(loud) == samples(soft)
