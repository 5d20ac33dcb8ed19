"""Embedders from a slot."""

from pathlib import Path

from agents.memory.backends.scripted import ScriptedEmbedder
from agents.memory.library import Library
from agents.memory.slotted import SlottedEmbedders
from agents.memory.store import Store
from agents.runtime.latch import Latch
from tests.fakes.engines import running, slot_of


async def test_a_switch_is_another_space_and_an_unload_is_none(tmp_path: Path) -> None:
    slot, store = slot_of(ScriptedEmbedder), Store(tmp_path)
    embedders = SlottedEmbedders(slot)
    library = Library(store, embedders, Latch())
    async with running(slot):
        await library.add("zoo", "guide.md", b"The lion roars.")
        assert (await library.retrieve("zoo", "lion", 1))[0].similarity > 0
        await slot.unload()
        assert (await library.remove("zoo", "nothing.md")).embedded == 1
        await slot.switch("another")
        assert (await library.retrieve("zoo", "lion", 1))[0].similarity == 0
        assert (await library.embed("zoo")).embedded == 1
        assert (await library.retrieve("zoo", "lion", 1))[0].similarity > 0
    await store.close()


async def test_counters_of_engines_that_are_gone_still_count() -> None:
    slot = slot_of(ScriptedEmbedder)
    embedders = SlottedEmbedders(slot)
    async with running(slot):
        async with embedders.lease() as embedder:
            embedder.counters["texts.truncated"] += 2
        await slot.unload()
        assert embedders.counters["texts.truncated"] == 2
