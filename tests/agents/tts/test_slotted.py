"""A voice whose engine is switched between phrases."""

from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.slot import EngineSlot
from agents.tts.backends.base import Sound, Voice
from agents.tts.backends.scripted import ScriptedVoice
from agents.tts.prosody import NEUTRAL
from agents.tts.settings import TtsSettings
from agents.tts.slotted import SlottedVoice, slot_for
from tests.agents.tts.kokoro_files import kokoro_files
from tests.fakes.engines import running, slot_of
from tests.virtual_time import virtual


def beeps(model: str) -> ScriptedVoice:
    return ScriptedVoice(rate_hz=int(model or 16_000))


def settings(**fields: Any) -> TtsSettings:
    return TtsSettings(bus_dir=Path("/nowhere"), _env_file=None, **fields)  # type: ignore[call-arg]


async def rates(voice: Voice) -> set[int]:
    async with aclosing(voice.speak("one two", NEUTRAL, "en", "")) as parts:
        return {part.rate_hz async for part in parts if isinstance(part, Sound)}


@virtual
async def test_every_sound_says_the_rate_of_the_engine_that_made_it() -> None:
    slot: EngineSlot[Voice] = slot_of(beeps)
    voice = SlottedVoice(slot)
    async with running(slot):
        await voice.start()
        assert voice.rate_hz == 16_000
        async with aclosing(voice.speak("one two", NEUTRAL, "en", "")) as old:
            await anext(old)
            await slot.switch("24000")
            assert await rates(voice) == {24_000}
            assert {p.rate_hz async for p in old if isinstance(p, Sound)} == {16_000}


@virtual
async def test_a_voice_that_fails_fails_the_phrase_and_lets_the_engine_go() -> None:
    slot: EngineSlot[Voice] = slot_of(lambda model: ScriptedVoice(fails_at=0))
    voice = SlottedVoice(slot)
    async with running(slot):
        with pytest.raises(AgentError, match="scripted failure"):
            await rates(voice)
        await slot.unload()
        assert slot.engines == ()


def test_espeak_and_silence_have_no_models() -> None:
    assert slot_for(settings(backend="espeak")) is None
    assert slot_for(settings(backend="off")) is None


async def test_kokoro_is_switched_to_another_file_and_stays_where_there_is_none(
    tmp_path: Path,
) -> None:
    files = kokoro_files(tmp_path)
    other = files.model.with_name("other.onnx")
    other.write_bytes(files.model.read_bytes())
    slot = slot_for(
        settings(
            backend="kokoro", kokoro_model=files.model, kokoro_voices=files.voices, kokoro_threads=1
        )
    )
    assert slot is not None
    async with running(slot):
        voice = SlottedVoice(slot)
        await voice.start()
        await slot.switch(str(other))
        assert slot.about.model == "other.onnx"
        with pytest.raises(BackendUnavailable):
            await slot.switch(str(tmp_path / "none.onnx"))
        assert await rates(voice)
        assert slot.about.model == "other.onnx"
