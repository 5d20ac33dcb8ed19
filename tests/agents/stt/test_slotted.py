"""A recogniser whose engine is loaded, switched and unloaded between utterances."""

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.errors import BackendUnavailable
from agents.runtime.slot import EngineSlot, SlotOptions
from agents.stt.backends.base import Recogniser, Redecoding
from agents.stt.backends.scripted import ScriptedRecogniser
from agents.stt.settings import SttSettings
from agents.stt.slotted import SlottedRecogniser, slot_for
from tests.agents.stt import tiny_whisper
from tests.fakes.engines import running, slot_of
from tests.virtual_time import settle, virtual

LAZY = SlotOptions(warm_up=False)
SOUND = bytes(3_200)


def reader(model: str) -> ScriptedRecogniser:
    """Hears its model's name in every utterance."""
    return ScriptedRecogniser([model or "default"] * 9, model=model)


def settings(**fields: Any) -> SttSettings:
    return SttSettings(bus_dir=Path("/nowhere"), _env_file=None, **fields)  # type: ignore[call-arg]


@virtual
async def test_an_utterance_is_transcribed_by_the_engine_that_began_to_hear_it() -> None:
    slot: EngineSlot[Recogniser] = slot_of(reader)
    async with running(slot):
        stream = SlottedRecogniser(slot).stream("en")
        await stream.feed(SOUND)
        await slot.switch("new")
        await stream.feed(SOUND)
        assert (await stream.finish()).text == "default"
        await stream.feed(SOUND)
        assert (await stream.finish()).text == "new"
        await stream.close()


@pytest.mark.parametrize("how", ["finish", "reset", "close"])
def test_between_utterances_nothing_is_held(how: str) -> None:
    @virtual
    async def scenario() -> None:
        slot: EngineSlot[Recogniser] = slot_of(reader, LAZY)
        async with running(slot):
            stream = SlottedRecogniser(slot).stream("en")
            await stream.feed(SOUND)
            await getattr(stream, how)()
            await slot.unload()
            assert slot.engines == ()
            await stream.close()

    scenario()


@virtual
async def test_an_engines_stream_is_kept_while_the_engine_is_and_goes_with_it() -> None:
    slot: EngineSlot[Recogniser] = slot_of(reader, LAZY)
    async with running(slot):
        stream = SlottedRecogniser(slot).stream("en")
        await stream.feed(SOUND)
        await stream.finish()
        assert slot.serving is not None
        engine = weakref.ref(slot.serving)
        kept = stream._stream
        await stream.feed(SOUND)
        assert stream._stream is kept
        await stream.reset()
        await slot.unload()
        del kept
        await settle()
        gc.collect()
        assert engine() is None


def test_only_where_an_engine_may_be_asked_for_partials_is_a_stream_one_that_can_be() -> None:
    slot: EngineSlot[Recogniser] = slot_of(reader)
    assert isinstance(SlottedRecogniser(slot).stream("en"), Redecoding)
    assert not isinstance(SlottedRecogniser(slot, redecoding=False).stream("en"), Redecoding)


async def test_a_whisper_model_replaces_the_embedded_engine_and_another_whisper(
    tmp_path: Path,
) -> None:
    small = str(tiny_whisper.build(tmp_path / "small"))
    other = str(tiny_whisper.build(tmp_path / "other"))
    slot = slot_for(settings(model_size=str(tmp_path / "none"), threads=1, model_warmup=False))
    recogniser = SlottedRecogniser(slot)
    assert recogniser.name == "pocketsphinx"
    async with running(slot):
        await slot.switch(small)
        assert (recogniser.name, recogniser.model) == ("faster_whisper", "small")
        await slot.switch(other)
        assert recogniser.model == "other"
        with pytest.raises(BackendUnavailable, match="no model"):
            await slot.switch("nothing of that name")
        stream = recogniser.stream("en")
        await stream.feed(SOUND)
        await stream.finish()
        await stream.close()
        assert recogniser.model == "other"


async def test_the_embedded_engine_has_no_models() -> None:
    slot = slot_for(settings(backend="pocketsphinx", model_warmup=False))
    async with running(slot):
        with pytest.raises(BackendUnavailable) as refused:
            await slot.switch("big")
    assert refused.value.code == "no_models"
