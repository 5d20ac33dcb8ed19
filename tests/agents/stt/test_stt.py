"""Stt as the runtime sees it, in virtual time, on a scripted recogniser."""

import asyncio
from collections.abc import Sequence

import pytest

from agents.stt.agent import Stt
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.stt.takes import MAX_WAITING_BYTES, MEDIA_WAIT_S
from protocols.messages.transcript import TranscriptFinal
from tests.agents.stt.sessions import SECOND, said, session
from tests.agents.stt.slow_recogniser import SlowRecogniser
from tests.virtual_time import virtual


def scripted(*script: str) -> Stt:
    return Stt(ScriptedRecogniser(script))


@virtual
async def test_partials_grow_and_the_final_follows_the_finish() -> None:
    async with session(scripted()) as robot:
        await robot.chunk(1, 0, said("turn left now"))
        await robot.chunk(1, 1_600, bytes(3_200))
        assert robot.partials == ["turn", "turn left"]
        assert not robot.finals
        await robot.finish(1, 3_200)
    assert robot.emitted[-1] == TranscriptFinal(
        utterance=1, text="turn left now", language="en", confidence=1.0, audio_ms=200
    )


@virtual
async def test_a_finish_that_overtook_sound_waits_for_its_last_sample() -> None:
    async with session(scripted()) as robot:
        await robot.chunk(1, 0, said("turn"))
        await robot.finish(1, 4_800)
        await asyncio.sleep(MEDIA_WAIT_S / 2)
        await robot.chunk(1, 1_600, said("left"))
        assert not robot.finals
        await robot.chunk(1, 3_200, bytes(3_200))
        assert robot.finals == [(1, "turn left")]


@virtual
async def test_sound_that_never_comes_is_counted_and_not_waited_for_longer_than_half_a_second() -> (
    None
):
    stt = scripted()
    async with session(stt) as robot:
        await robot.chunk(1, 0, said("turn left"))
        await robot.finish(1, 4_800)
        await asyncio.sleep(MEDIA_WAIT_S - 0.01)
        assert not robot.finals
        await asyncio.sleep(0.02)
        assert robot.finals == [(1, "turn left")]
    assert stt.counters["samples_missing"] == 3_200


@virtual
async def test_an_utterance_without_any_sound_fails_by_name() -> None:
    async with session(scripted()) as robot:
        await robot.finish(1, 4_800)
        await asyncio.sleep(MEDIA_WAIT_S + 0.01)
    assert robot.failures == ["no_audio"]


@virtual
async def test_a_dropped_utterance_is_forgotten_and_its_late_sound_thrown_away() -> None:
    stt = scripted()
    async with session(stt) as robot:
        await robot.chunk(1, 0, said("cough"))
        await robot.drop(1)
        await robot.chunk(1, 1_600, said("cough"))
        await robot.chunk(2, 9_600, said("turn left"))
        await robot.finish(2, 11_200)
    assert robot.finals == [(2, "turn left")]
    assert stt.counters["late_audio"] == 1


@virtual
async def test_a_drop_that_comes_before_the_sound_holds() -> None:
    async with session(scripted()) as robot:
        await robot.drop(1)
        await robot.chunk(1, 0, said("cough"))
        await robot.finish(1, 1_600)
        await asyncio.sleep(1)
    assert not robot.emitted


@virtual
async def test_the_next_utterance_may_begin_before_the_last_one_is_finished() -> None:
    async with session(scripted()) as robot:
        await robot.chunk(1, 0, said("turn left"))
        await robot.chunk(2, 1_600, said("turn right"))
        await robot.finish(1, 1_600)
        await robot.finish(2, 3_200)
    assert robot.finals == [(1, "turn left"), (2, "turn right")]


@virtual
async def test_an_utterance_that_nobody_finished_is_given_up_for_the_next() -> None:
    stt = scripted()
    async with session(stt) as robot:
        await robot.chunk(1, 0, said("lost"))
        await robot.chunk(2, 1_600, said("turn right"))
        await robot.finish(2, 3_200)
    assert robot.finals == [(2, "turn right")]
    assert stt.counters["never_finished"] == 1


@virtual
async def test_a_recogniser_that_fails_costs_one_utterance() -> None:
    async with session(scripted()) as robot:
        for utterance, text in ((1, "!worker_died"), (2, "turn left")):
            await robot.chunk(utterance, 0, said(text))
            await robot.finish(utterance, 1_600)
    assert robot.failures == ["worker_died"]
    assert robot.finals == [(2, "turn left")]


@virtual
async def test_a_script_is_read_line_by_line_and_then_silent() -> None:
    async with session(scripted("hello", "goodbye")) as robot:
        for utterance in (1, 2, 3):
            await robot.chunk(utterance, 0, SECOND)
            await robot.finish(utterance, 16_000)
    assert robot.finals == [(1, "hello"), (2, "goodbye"), (3, "")]


@pytest.mark.parametrize("pcm", [b"", b"\0", b"\0\0\0"])
def test_bytes_that_are_no_samples_are_counted_and_harm_nothing(pcm: bytes) -> None:
    stt = scripted()

    @virtual
    async def conversation() -> Sequence[tuple[int, str]]:
        async with session(stt) as robot:
            await robot.chunk(1, 0, pcm)
            await robot.chunk(1, 0, said("turn left"))
            await robot.finish(1, 1_600)
        return robot.finals

    assert conversation() == [(1, "turn left")]
    assert stt.counters["bad_audio"] == 1


@virtual
async def test_a_recogniser_that_cannot_keep_up_is_bounded_at_thirty_seconds() -> None:
    recogniser = SlowRecogniser(seconds_per_call=120.0)
    stt = Stt(recogniser)
    async with session(stt) as robot:
        for second in range(40):
            await robot.chunk(1, second * 16_000, SECOND)
        assert recogniser.fed_bytes <= len(SECOND)
        assert stt.counters["recogniser_too_slow"] == 40 - 1 - MAX_WAITING_BYTES // len(SECOND)


@virtual
async def test_a_drop_is_noticed_while_the_recogniser_is_busy() -> None:
    recogniser = SlowRecogniser(seconds_per_call=1.0)
    async with session(Stt(recogniser)) as robot:
        for second in range(10):
            await robot.chunk(1, second * 16_000, SECOND)
        await robot.drop(1)
        await asyncio.sleep(1.1)
        await robot.chunk(2, 320_000, SECOND)
        await robot.finish(2, 336_000)
        await asyncio.sleep(2.1)
    assert [utterance for utterance, _ in robot.finals] == [2]
    assert recogniser.fed_bytes == 2 * len(SECOND)


@virtual
async def test_a_released_session_gives_its_stream_back() -> None:
    recogniser = SlowRecogniser(seconds_per_call=1.0)
    async with session(Stt(recogniser)) as robot:
        await robot.chunk(1, 0, SECOND)
    assert recogniser.closed == 1
    assert not robot.emitted


@virtual
async def test_a_drop_ends_a_final_that_is_being_made() -> None:
    recogniser = SlowRecogniser(seconds_per_call=10.0)
    async with session(Stt(recogniser)) as robot:
        await robot.chunk(1, 0, SECOND)
        await robot.finish(1, 16_000)
        await robot.chunk(2, 16_000, SECOND)
        await robot.finish(2, 32_000)
        await asyncio.sleep(15)
        await robot.drop(1)
        await asyncio.sleep(20.1)
        assert robot.finals == [(2, "done")]


@pytest.mark.parametrize(("setting", "taken"), [("", "de"), ("fr", "fr"), ("auto", "")])
def test_a_session_is_in_its_own_language_unless_a_setting_names_one(
    setting: str, taken: str
) -> None:
    @virtual
    async def language() -> str:
        async with session(Stt(ScriptedRecogniser(), setting), "de") as robot:
            await robot.chunk(1, 0, said("bonjour"))
            await robot.finish(1, 1_600)
        final = robot.emitted[-1]
        assert isinstance(final, TranscriptFinal)
        return final.language

    assert language() == taken
