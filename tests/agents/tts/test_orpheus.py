import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from agents.engines.vllm import ENGINE_DIED
from agents.runtime.death import deaths_told_to
from agents.runtime.errors import (
    AgentError,
    BackendTimeout,
    BackendUnavailable,
    EngineDied,
)
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.backends.orpheus import PIECE_CHARS, OrpheusVoice, Utterances
from agents.tts.backends.snac import SnacDecoder
from agents.tts.orpheus_codes import (
    AUDIO_TOKENS,
    FRAME_SAMPLES,
    FRAME_TOKENS,
    RATE_HZ,
    START_OF_SPEECH,
    most_tokens,
)
from agents.tts.patience import Limits
from agents.tts.prosody import NEUTRAL, Prosody
from tests.agents.tts.orpheus_parts import Behaviour, NumberedCodec, ScriptedTokens, model_folder
from tests.virtual_time import virtual

TEXT = "Hello there, my friend."
FRAME_S = FRAME_SAMPLES / RATE_HZ
LIMITS = Limits(first_s=8.0, idle_s=8.0, total_s=60.0)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return model_folder(tmp_path)


@asynccontextmanager
async def orpheus(
    folder: str, *behaviours: Behaviour, cap_s: float = 15.0, limits: Limits = LIMITS
) -> AsyncIterator[tuple[OrpheusVoice, ScriptedTokens]]:
    """A started voice and its language model, whose first request was the self-test."""
    engine = ScriptedTokens(Behaviour(), *(behaviours or (Behaviour(),)))
    voice = OrpheusVoice(engine, NumberedCodec(), folder, Utterances("tara", limits, cap_s))
    await voice.start()
    engine.requests.clear()
    yield voice, engine
    await voice.close()
    assert engine.closed


async def hear(
    voice: OrpheusVoice,
    parts: list[Marks | Sound],
    text: str = TEXT,
    prosody: Prosody = NEUTRAL,
    lead: Lead = no_lead,
) -> list[Marks | Sound]:
    async with aclosing(voice.speak(text, prosody, "en", "", lead)) as spoken:
        async for part in spoken:
            parts.append(part)
    return parts


def frames(parts: list[Marks | Sound]) -> list[int]:
    """The numbers of the frames that were heard, each in full."""
    pcm = b"".join(part.pcm for part in parts if isinstance(part, Sound))
    size = FRAME_SAMPLES * 2
    numbers = [int.from_bytes(pcm[at : at + 2], "little") for at in range(0, len(pcm), size)]
    assert pcm == b"".join(number.to_bytes(2, "little") * FRAME_SAMPLES for number in numbers)
    return numbers


def words(parts: list[Marks | Sound]) -> str:
    return " ".join(w.text for part in parts if isinstance(part, Marks) for w in part.words)


@virtual
async def test_a_phrase_is_drawn_as_codes_and_heard_in_full(folder: str) -> None:
    async with orpheus(folder) as (voice, engine):
        parts = await hear(voice, [])
    assert frames(parts) == list(range(10))
    assert words(parts) == TEXT
    [request] = engine.requests
    assert len(request.prompt) == len(f"tara: {TEXT}") + 6
    assert request.prompt[-1] == START_OF_SPEECH
    assert request.sampling.allowed_tokens == AUDIO_TOKENS
    assert request.sampling.max_tokens == most_tokens(TEXT, 15.0)
    assert voice.counters.total() == 0


@virtual
async def test_the_last_word_ends_with_the_audio(folder: str) -> None:
    async with orpheus(folder) as (voice, _):
        parts = await hear(voice, [])
    marks = [word for part in parts if isinstance(part, Marks) for word in part.words]
    assert marks[-1].end_ms == 10 * FRAME_SAMPLES * 1000 // RATE_HZ


@virtual
async def test_a_strong_feeling_begins_with_its_tag_which_is_no_word(folder: str) -> None:
    long = "Once upon a time there was a robot. " * 8
    async with orpheus(folder) as (voice, engine):
        parts = await hear(voice, [], long.strip(), Prosody(tag="sigh"))
    first, *others = [len(request.prompt) - 6 for request in engine.requests]
    assert len(others) == 1
    assert first + sum(others) == len(long.strip()) - 1 + 2 * len("tara: ") + len("<sigh> ")
    assert first <= PIECE_CHARS + len("tara: <sigh> ")
    assert words(parts) == long.strip()
    assert frames(parts) == [*range(10), *range(10)]


@virtual
async def test_sound_is_given_out_while_more_is_being_drawn(folder: str) -> None:
    loop = asyncio.get_running_loop()
    async with orpheus(folder, Behaviour(frames=20, pause_s=0.1)) as (voice, engine):
        begun = loop.time()
        async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as parts:
            assert isinstance(await anext(parts), Marks)
            assert loop.time() - begun == pytest.approx(0.3)
    assert engine.left == 1


@virtual
async def test_leaving_a_phrase_ends_its_request(folder: str) -> None:
    async with orpheus(folder) as (voice, engine):
        async with aclosing(voice.speak(TEXT, NEUTRAL, "en", "")) as parts:
            await anext(parts)
        assert engine.left == 1
        assert frames(await hear(voice, [])) == list(range(10))


@virtual
async def test_a_voice_that_is_ahead_leaves_the_engine_to_others_and_goes_on_later(
    folder: str,
) -> None:
    loop = asyncio.get_running_loop()
    begun, heard = 0.0, []

    def lead() -> float:
        made = sum(len(part.pcm) for part in heard if isinstance(part, Sound))
        return made / 2 / RATE_HZ - (loop.time() - begun)

    text = "Once upon a time there was a small robot who lived on a shelf above a quiet kitchen."
    async with orpheus(folder, Behaviour(frames=60)) as (voice, engine):
        begun = loop.time()
        await hear(voice, heard, text, lead=lead)
        took = loop.time() - begun
    assert frames(heard) == list(range(60))
    assert took == pytest.approx(60 * FRAME_S - 1.5, abs=0.6)
    assert engine.left == len(engine.requests) - 1 > 1
    made = [len(request.prompt) - len(engine.requests[0].prompt) for request in engine.requests]
    assert made == sorted(made)
    assert all(
        b.prompt[: len(a.prompt)] == a.prompt
        for a, b in zip(engine.requests, engine.requests[1:], strict=False)
    )
    left = [request.sampling.max_tokens for request in engine.requests]
    assert [one + two for one, two in zip(made, left, strict=True)] == [left[0]] * len(left)


@virtual
async def test_tokens_that_are_no_codes_are_skipped_and_counted(folder: str) -> None:
    async with orpheus(folder, Behaviour(noise=(7, 8, 9))) as (voice, _):
        assert frames(await hear(voice, [])) == list(range(10))
    assert voice.counters["invalid_codes"] == 3


@virtual
async def test_speech_without_end_is_cut_off_and_counted(folder: str) -> None:
    async with orpheus(folder, Behaviour(frames=999, ends=False), cap_s=1.0) as (voice, _):
        parts = await hear(voice, [])
    assert len(frames(parts)) == most_tokens(TEXT, 1.0) // FRAME_TOKENS == 11
    assert words(parts) == TEXT
    assert voice.counters["too_long"] == 1


@virtual
async def test_a_failure_before_the_first_sound_is_tried_once_more(folder: str) -> None:
    fails = Behaviour(breaks_after=0, error=AgentError("no", "llm_error"))
    async with orpheus(folder, fails, Behaviour()) as (voice, engine):
        assert frames(await hear(voice, [])) == list(range(10))
        assert len(engine.requests) == 2
    assert voice.counters["tried_again"] == 1


@virtual
async def test_a_second_failure_is_the_phrases_own(folder: str) -> None:
    fails = Behaviour(breaks_after=0, error=AgentError("no", "llm_error"))
    async with orpheus(folder, fails) as (voice, engine):
        with pytest.raises(AgentError) as raised:
            await hear(voice, [])
        assert len(engine.requests) == 2
    assert raised.value.code == "llm_error"


@virtual
async def test_a_failure_in_mid_phrase_is_not_tried_again(folder: str) -> None:
    fails = Behaviour(breaks_after=35, error=AgentError("no", "llm_error"))
    heard: list[Marks | Sound] = []
    async with orpheus(folder, fails) as (voice, engine):
        with pytest.raises(AgentError):
            await hear(voice, heard)
        assert len(engine.requests) == 1
    assert any(isinstance(part, Sound) for part in heard)


@virtual
async def test_an_engine_that_died_is_not_asked_again(folder: str) -> None:
    dead = Behaviour(breaks_after=0, error=BackendUnavailable("gone", ENGINE_DIED))
    async with orpheus(folder, dead) as (voice, engine):
        with pytest.raises(BackendUnavailable):
            await hear(voice, [])
        assert len(engine.requests) == 1


@virtual
async def test_an_engine_that_stops_in_the_middle_is_given_up_after_its_idle_time(
    folder: str,
) -> None:
    loop = asyncio.get_running_loop()
    async with orpheus(folder, Behaviour(breaks_after=35)) as (voice, _):
        begun = loop.time()
        with pytest.raises(BackendTimeout):
            await hear(voice, [])
        assert loop.time() - begun == pytest.approx(8.0)


@virtual
async def test_an_engine_that_is_slow_for_ever_is_given_up_after_the_total_time(
    folder: str,
) -> None:
    loop = asyncio.get_running_loop()
    slow = Behaviour(frames=99, pause_s=7.0)
    async with orpheus(folder, slow) as (voice, _):
        begun = loop.time()
        with pytest.raises(BackendTimeout):
            await hear(voice, [], TEXT * 5)
        assert loop.time() - begun == pytest.approx(60.0)


@virtual
async def test_an_engine_that_does_not_answer_twice_ends_its_process(folder: str) -> None:
    deaths: list[EngineDied] = []
    with deaths_told_to(deaths.append):
        async with orpheus(folder, Behaviour(breaks_after=0)) as (voice, engine):
            with pytest.raises(BackendTimeout):
                await hear(voice, [])
            assert len(engine.requests) == 2
    assert len(deaths) == 1
    assert voice.counters["unanswered"] == 2


@virtual
async def test_listeners_who_leave_at_once_do_not_make_the_engine_suspect(folder: str) -> None:
    deaths: list[EngineDied] = []
    with deaths_told_to(deaths.append):
        async with orpheus(folder, Behaviour(breaks_after=0)) as (voice, _):
            for patience_s in (0.5, 0.5, 0.5, 3.0):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(patience_s):
                        await hear(voice, [])
    assert deaths == []
    assert voice.counters["unanswered"] == 1


@virtual
async def test_an_answer_clears_the_engine(folder: str) -> None:
    deaths: list[EngineDied] = []
    hangs = Behaviour(breaks_after=0)
    with deaths_told_to(deaths.append):
        async with orpheus(folder, hangs, Behaviour(), hangs, Behaviour()) as (voice, _):
            await hear(voice, [])
            await hear(voice, [])
    assert deaths == []


@virtual
async def test_a_codec_that_fails_is_a_coded_failure(folder: str) -> None:
    engine, codec = ScriptedTokens(), NumberedCodec()
    voice = OrpheusVoice(engine, codec, folder)
    await voice.start()
    codec.error = RuntimeError("out of memory")
    with pytest.raises(AgentError) as raised:
        await hear(voice, [])
    assert raised.value.code == "tts_failed"
    await voice.close()


@virtual
async def test_a_model_that_draws_nothing_is_not_ready(folder: str) -> None:
    engine = ScriptedTokens(Behaviour(frames=0))
    with pytest.raises(BackendUnavailable, match="no audio"):
        await OrpheusVoice(engine, NumberedCodec(), folder).start()
    assert engine.closed


@virtual
async def test_it_speaks_only_while_it_is_loaded(folder: str) -> None:
    async with orpheus(folder) as (voice, _):
        pass
    with pytest.raises(BackendUnavailable, match="not loaded"):
        await hear(voice, [])


async def test_a_tokenizer_that_cannot_be_read_is_said_at_start(tmp_path: Path) -> None:
    folder = model_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    voice = OrpheusVoice(ScriptedTokens(), NumberedCodec(), folder)
    with pytest.raises(BackendUnavailable, match=r"tokenizer\.json"):
        await voice.start()
    await voice.close()


def test_a_missing_library_names_the_extra_to_install() -> None:
    with pytest.raises(BackendUnavailable, match=r"install robot-hub\[orpheus\]"):
        SnacDecoder("nowhere").load()
