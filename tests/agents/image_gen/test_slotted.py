"""A painter whose engine is loaded, switched and unloaded between orders."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agents.image_gen.backends.base import Made, Order, Painter, Step
from agents.image_gen.backends.scripted import ScriptedPainter
from agents.image_gen.settings import ImageSettings
from agents.image_gen.slotted import SlottedPainter, slot_for
from agents.runtime.errors import BackendUnavailable
from agents.runtime.latch import Latch
from agents.runtime.slot import EngineSlot, SlotOptions
from tests.fakes.engines import running, slot_of
from tests.virtual_time import settle, virtual

ORDER = Order("a red ball", width=64, height=64, steps=3)


def settings(**fields: Any) -> ImageSettings:
    return ImageSettings(bus_dir=Path("/nowhere"), _env_file=None, **fields)  # type: ignore[call-arg]


def slot(options: SlotOptions = SlotOptions(warm_up=False)) -> EngineSlot[Painter]:  # noqa: B008
    latch = Latch()
    return slot_of(lambda model: ScriptedPainter(latch, model=model, step_s=1.0), options)


@virtual
async def test_an_order_is_ended_by_the_engine_that_began_it() -> None:
    painters = slot()
    async with running(painters):
        painter = SlottedPainter(painters)
        async with aclosing(painter.paint(ORDER)) as news:
            assert isinstance(await anext(news), Step)
            old = painters.serving
            await painters.switch("new")
            assert painters.engines == (old, painters.serving)
            rest = [one async for one in news]
        await settle()
        assert isinstance(rest[-1], Made)
        assert painter.model == "new"
        assert painters.engines == (painters.serving,)


@virtual
async def test_the_engine_is_loaded_for_the_first_order_and_unloaded_when_nobody_asks() -> None:
    painters = slot(SlotOptions(warm_up=False, unload_after_s=60.0))
    async with running(painters):
        painter = SlottedPainter(painters)
        await painter.start()
        assert painters.engines == ()
        async with aclosing(painter.paint(ORDER)) as news:
            assert [one async for one in news]
        assert len(painters.engines) == 1
        await asyncio.sleep(61)
        assert painters.engines == ()


@virtual
async def test_an_order_that_is_left_holds_no_engine() -> None:
    painters = slot()
    async with running(painters):
        painter = SlottedPainter(painters)
        async with aclosing(painter.paint(ORDER)) as news:
            await anext(news)
        await painters.unload()
        assert painters.engines == ()


@virtual
async def test_what_engines_have_counted_stays_counted() -> None:
    painters = slot()
    async with running(painters):
        painter = SlottedPainter(painters)
        async with painters.lease() as engine:
            engine.counters["prompt_truncated"] += 2
        await painters.switch("new")
        async with painters.lease() as engine:
            engine.counters["prompt_truncated"] += 1
        assert painter.counters == {"prompt_truncated": 3}


@virtual
async def test_an_engine_that_cannot_be_loaded_fails_the_order() -> None:
    latch = Latch()
    painters: EngineSlot[Painter] = slot_of(
        lambda model: ScriptedPainter(latch, model="!broken"), SlotOptions(warm_up=False)
    )
    async with running(painters):
        with pytest.raises(BackendUnavailable, match="!broken is scripted to fail"):
            async with aclosing(SlottedPainter(painters).paint(ORDER)) as news:
                await anext(news)


@virtual
async def test_a_slot_of_the_settings_says_what_it_is_and_why() -> None:
    painters = slot_for(settings(backend="scripted"), Latch())
    async with running(painters):
        await painters.start()
        await painters.switch("another")
        about = painters.about
        assert (about.backend, about.capacity, about.model) == ("scripted", 1, "another")
        assert about.info == {"reason": "IMAGE_BACKEND=scripted"}
