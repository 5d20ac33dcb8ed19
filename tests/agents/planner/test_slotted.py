"""A planner whose engine is loaded, switched and unloaded while it is used."""

import asyncio
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agents.planner.backends.base import Planner
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.planner.settings import PlannerSettings
from agents.planner.slotted import SlottedPlanner, slot_for
from agents.runtime.errors import BackendUnavailable
from agents.runtime.slot import EngineSlot, SlotOptions
from tests.agents.planner.turns import turn, world
from tests.fakes.engines import running, slot_of
from tests.fakes.ollama_server import OllamaServer
from tests.virtual_time import virtual

NOWHERE = "http://127.0.0.1:1"


def settings(**fields: Any) -> PlannerSettings:
    alone = {"base_url": "", "role": "primary", "ollama_url": NOWHERE, "hf_model": "/nowhere/m"}
    return PlannerSettings(bus_dir=Path("/nowhere"), _env_file=None, **(alone | fields))  # type: ignore[call-arg]


def slow(model: str) -> ScriptedPlanner:
    """Says its model's name three times, a second apart."""
    return ScriptedPlanner([Script((model or "default",) * 3, pause_s=1.0)], model=model)


@virtual
async def test_an_answer_that_has_begun_is_ended_by_the_model_that_began_it() -> None:
    slot: EngineSlot[Planner] = slot_of(slow)
    planner, answers = SlottedPlanner(slot), dict[str, list[str]]()

    async def ask(name: str) -> None:
        async with aclosing(planner.answer(turn("hello"))) as pieces:
            answers[name] = [piece async for piece in pieces]

    async with running(slot), asyncio.TaskGroup() as tasks:
        await planner.start()
        tasks.create_task(ask("first"))
        await asyncio.sleep(1.5)
        await slot.switch("new")
        assert planner.model == "new"
        tasks.create_task(ask("second"))
    assert answers == {"first": ["default"] * 3, "second": ["new"] * 3}


@virtual
async def test_an_answer_that_is_left_lets_the_model_go() -> None:
    slot: EngineSlot[Planner] = slot_of(slow)
    planner = SlottedPlanner(slot)
    async with running(slot):
        async with aclosing(planner.answer(turn("hello"))) as pieces:
            await anext(pieces)
        await slot.unload()
        assert slot.engines == ()


class Counting(ScriptedPlanner):
    """Counts every plan."""

    async def plan(self, *asked: Any) -> str:
        self.counters["asked"] += 1
        return await super().plan(*asked)


@virtual
async def test_what_was_counted_outlives_the_engine_that_counted_it() -> None:
    slot: EngineSlot[Planner] = slot_of(lambda model: Counting(model=model), SlotOptions(False))
    planner = SlottedPlanner(slot)
    async with running(slot):
        for _ in range(2):
            await planner.plan(world(), 5)
            await slot.unload()
        await planner.plan(world(), 5)
        assert planner.counters == Counter(asked=3)


async def test_a_named_model_is_the_chosen_engines_and_the_old_one_stays_if_it_is_not_there() -> (
    None
):
    async with OllamaServer(models=("tiny:latest", "big:latest")) as server:
        chosen = settings(
            backend="ollama", ollama_url=server.url, ollama_model="tiny", auto_pull=False
        )
        slot = slot_for(chosen)
        assert slot is not None
        async with running(slot):
            planner = SlottedPlanner(slot)
            await planner.start()
            await slot.switch("big")
            assert (planner.name, planner.model) == ("ollama", "big")
            with pytest.raises(BackendUnavailable, match="does not have the model huge"):
                await slot.switch("huge")
            assert planner.model == "big"


async def test_auto_never_takes_rules_for_a_named_model() -> None:
    slot = slot_for(settings(backend="auto"))
    assert slot is not None
    async with running(slot):
        planner = SlottedPlanner(slot)
        await planner.start()
        assert planner.name == "reflex"
        with pytest.raises(BackendUnavailable, match=r"ollama: .*transformers: "):
            await slot.switch("big")
        assert planner.name == "reflex"


@pytest.mark.parametrize("fields", [{"backend": "reflex"}, {"role": "reflex"}])
def test_rules_have_no_models(fields: dict[str, Any]) -> None:
    assert slot_for(settings(**fields)) is None


@pytest.mark.parametrize("off", [{"model_warmup": False}, {"warmup_llm": False}])
async def test_warm_up_can_be_off(off: dict[str, Any]) -> None:
    slot = slot_for(settings(backend="scripted", **off))
    assert slot is not None
    async with running(slot):
        await slot.start()
        assert slot.engines == ()
        assert slot.about.capacity > 0
