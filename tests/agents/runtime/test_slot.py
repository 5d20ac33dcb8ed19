"""A slot and its engines, in virtual time."""

import asyncio
import gc

import numpy as np
import pytest

from agents.runtime import footprint
from agents.runtime.death import deaths_told_to
from agents.runtime.errors import BackendUnavailable, EngineDied
from agents.runtime.progress import reporting_to
from agents.runtime.slot import About, EngineSlot, Report, SlotOptions
from protocols.messages.agent import AgentProgress
from protocols.messages.model import LoadState
from tests.fakes.engines import Engines, FakeEngine, running
from tests.virtual_time import settle, virtual

LAZY = SlotOptions(warm_up=False)


@virtual
async def test_with_warm_up_the_engine_is_there_before_anybody_needs_it() -> None:
    engines = Engines(load_s=3)
    async with running(engines.slot):
        await engines.slot.start()
        assert engines.log == ["start default", "ready default"]
        assert engines.slot.report == Report(LoadState.READY, "default")


@virtual
async def test_without_it_nothing_is_loaded_before_it_is_needed() -> None:
    engines = Engines(LAZY, load_s=3)
    async with running(engines.slot):
        await engines.slot.start()
        await asyncio.sleep(60)
        assert engines.log == []
        assert engines.slot.report == Report(LoadState.UNLOADED, "default")
        async with engines.slot.lease() as engine:
            assert engine.model == "default"
        assert engines.slot.report.state is LoadState.READY


@virtual
async def test_all_who_wait_share_one_load_and_one_who_leaves_takes_nothing_with_him() -> None:
    engines, served = Engines(LAZY, load_s=3), list[FakeEngine]()

    async def be_served() -> None:
        async with engines.slot.lease() as engine:
            served.append(engine)

    async with running(engines.slot), asyncio.TaskGroup() as tasks:
        first, *_ = [tasks.create_task(be_served()) for _ in range(3)]
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.sleep(3)
        assert len(served) == 2
        assert engines.log.count("start default") == 1


@virtual
async def test_who_is_cancelled_in_the_moment_of_the_grant_holds_nothing() -> None:
    engines = Engines(SlotOptions(unload_after_s=10), load_s=3)

    async def be_served() -> None:
        async with engines.slot.lease():
            await asyncio.sleep(1_000)

    async with running(engines.slot), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(be_served())
        engines.slot.on_change(
            lambda: (
                waiting.cancel() if engines.slot.report.state is LoadState.READY else None
            )  # the lease is granted, and the task has not run yet
        )
        await asyncio.sleep(20)
        assert engines.slot.report.state is LoadState.UNLOADED
    assert engines.log[-1] == "close default"


@virtual
async def test_nothing_is_loaded_for_who_does_not_wait_any_more() -> None:
    engines = Engines(load_s=1)

    async def be_served() -> None:
        async with engines.slot.lease():
            await asyncio.sleep(1_000)

    async with running(engines.slot), asyncio.TaskGroup() as tasks:
        await engines.slot.start()
        async with engines.slot.lease():
            unloading = tasks.create_task(engines.slot.unload())
            await asyncio.sleep(1)
            waiting = tasks.create_task(be_served())
            await asyncio.sleep(1)
            waiting.cancel()
            await asyncio.sleep(1)
        await unloading
        await asyncio.sleep(5)
        assert engines.log == ["start default", "ready default", "close default"]


@virtual
async def test_an_engine_that_nobody_needs_for_long_enough_is_unloaded() -> None:
    engines = Engines(SlotOptions(unload_after_s=30))
    async with running(engines.slot):
        await engines.slot.start()
        await asyncio.sleep(29)
        async with engines.slot.lease():
            await asyncio.sleep(100)
        await asyncio.sleep(29)
        assert engines.slot.report.state is LoadState.READY
        await asyncio.sleep(2)
        assert engines.log[-1] == "close default"
        assert engines.slot.report == Report(LoadState.UNLOADED, "default")
        async with engines.slot.lease() as engine:
            assert engine.model == "default"


@virtual
async def test_a_switch_lets_who_is_served_finish_with_the_old_engine() -> None:
    engines = Engines(load_s=3)
    async with running(engines.slot):
        await engines.slot.start()
        async with engines.slot.lease() as old:
            await engines.slot.switch("big")
            async with engines.slot.lease() as new:
                assert (old.model, new.model) == ("default", "big")
            assert "close default" not in engines.log
        await settle()
        assert "close default" in engines.log
        assert engines.slot.about.model == "big"


@virtual
async def test_without_room_the_new_one_waits_until_the_old_one_is_gone() -> None:
    engines = Engines(beside=False)
    async with running(engines.slot):
        await engines.slot.start()
        async with asyncio.TaskGroup() as tasks, engines.slot.lease():
            switching = tasks.create_task(engines.slot.switch("big"))
            await asyncio.sleep(5)
            assert not switching.done()
        assert engines.log == [
            "start default", "ready default", "close default", "start big", "ready big",
        ]  # fmt: skip


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize(
    ("model", "code"), [("bad", "backend_unavailable"), ("none", "no_such_model")]
)
def test_a_switch_that_fails_is_coded_and_the_old_model_serves_on(
    beside: bool, model: str, code: str
) -> None:
    @virtual
    async def scenario() -> None:
        engines = Engines(beside=beside)
        async with running(engines.slot):
            await engines.slot.start()
            with pytest.raises(BackendUnavailable) as failed:
                await engines.slot.switch(model)
            assert failed.value.code == code
            async with engines.slot.lease() as engine:
                assert engine.model == "default"

    scenario()


@virtual
async def test_a_model_that_cannot_be_loaded_fails_each_who_waits() -> None:
    engines = Engines(LAZY, load_s=1)
    async with running(engines.slot):
        with pytest.raises(BackendUnavailable):
            await engines.slot.switch("bad")
        assert engines.slot.report == Report(LoadState.FAILED, "default", "bad is broken")
        async with engines.slot.lease():
            pass
        assert engines.slot.report == Report(LoadState.READY, "default")


@virtual
async def test_warm_up_that_fails_is_the_agents_failure() -> None:
    slot = EngineSlot(
        FakeEngine("bad"), FakeEngine, lambda engine: About("fake", 1), release=lambda: None
    )
    async with running(slot):
        with pytest.raises(BackendUnavailable, match="bad is broken"):
            await slot.start()


@virtual
async def test_an_unload_waits_for_who_is_served_and_is_done_when_the_memory_is_free() -> None:
    engines = Engines()
    async with running(engines.slot):
        await engines.slot.start()
        async with asyncio.TaskGroup() as tasks, engines.slot.lease():
            unloading = tasks.create_task(engines.slot.unload())
            await asyncio.sleep(5)
            assert not unloading.done()
        assert engines.log[-1] == "close default"
        assert engines.slot.report.state is LoadState.UNLOADED


@virtual
async def test_an_unload_stops_a_load_in_its_middle() -> None:
    engines = Engines(load_s=100)
    async with running(engines.slot), asyncio.TaskGroup() as tasks:
        starting = tasks.create_task(_refusal_of(engines.slot.switch("big")))
        await asyncio.sleep(1)
        await engines.slot.unload()
        assert await starting == "load_stopped"
        assert engines.log == ["close default", "start big", "close big"]


@virtual
async def test_a_switch_that_is_left_is_stopped() -> None:
    engines = Engines(beside=False, load_s=100)
    async with running(engines.slot), asyncio.TaskGroup() as tasks:
        await engines.slot.start()
        switching = tasks.create_task(engines.slot.switch("big"))
        await asyncio.sleep(1)
        switching.cancel()
        async with engines.slot.lease() as engine:
            assert engine.model == "default"


@virtual
async def test_one_switch_at_a_time() -> None:
    engines = Engines(load_s=100)
    async with running(engines.slot), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(engines.slot.switch("big"))
        await asyncio.sleep(1)
        assert await _refusal_of(engines.slot.switch("bigger")) == "model_busy"
        await first


@virtual
async def test_the_name_that_a_model_turned_out_to_have_is_known() -> None:
    engines = Engines()
    async with running(engines.slot):
        await engines.slot.start()
        await engines.slot.switch("default")
        assert engines.log == ["start default", "ready default"]


@virtual
async def test_loads_tell_how_far_they_are() -> None:
    engines, told = Engines(LAZY), list[AgentProgress]()
    with reporting_to(told.append):
        async with running(engines.slot):
            await engines.slot.switch("big")
    assert [progress.step for progress in told] == ["loading big", "load"]


@virtual
async def test_only_the_death_of_the_engine_that_serves_is_the_agents() -> None:
    engines, deaths = Engines(), list[EngineDied]()
    with deaths_told_to(deaths.append):
        async with running(engines.slot):
            await engines.slot.start()
            assert engines.slot.serving is not None
            async with engines.slot.lease():
                await engines.slot.switch("big")
    assert deaths == []


class Mortal(FakeEngine):
    """Dies when it is told to, as a task of its own would notice."""

    async def start(self) -> None:
        await super().start()
        if self.model == "dies at once":
            self.die()
            await asyncio.sleep(1_000)
        asyncio.get_running_loop().call_later(5, self.die)


def mortal() -> EngineSlot[Mortal]:
    return EngineSlot(
        Mortal(), Mortal, lambda engine: About("fake", 1, engine.model), release=lambda: None
    )


@virtual
async def test_an_engine_that_dies_while_it_serves_ends_the_agent() -> None:
    deaths = list[EngineDied]()
    slot = mortal()
    with deaths_told_to(deaths.append):
        async with running(slot):
            await slot.start()
            await asyncio.sleep(10)
    assert [str(death) for death in deaths] == ["it was killed"]


@virtual
async def test_one_that_dies_while_it_starts_or_after_it_was_replaced_does_not() -> None:
    deaths = list[EngineDied]()
    slot = mortal()
    with deaths_told_to(deaths.append):
        async with running(slot):
            await slot.start()
            assert await _refusal_of(slot.switch("dies at once")) == "engine_died"
            assert slot.serving is not None
            await slot.unload()
            await asyncio.sleep(10)
    assert deaths == []


@pytest.mark.usefixtures("real_collector")
@pytest.mark.skipif(not footprint.resident_mib(), reason="the system does not tell memory")
async def test_the_memory_of_an_unloaded_engine_goes_back_to_the_system() -> None:
    between = []

    def fat(model: str) -> FakeEngine:
        engine = FakeEngine(model)
        pieces = []
        for _ in range(5_000):
            # Below what malloc maps by itself, and what stays lies between what goes.
            pieces.append(np.ones(40_000, np.uint8))
            between.append(np.ones(64, np.uint8))
        engine.ballast = [engine, pieces]  # a cycle, which will be frozen
        return engine

    slot = EngineSlot(fat(""), fat, lambda engine: About("fake", 1, engine.model), LAZY)
    async with running(slot):
        async with slot.lease():
            gc.freeze()
            full = footprint.resident_mib()
        try:
            await slot.unload()
            assert full - footprint.resident_mib() > 100
        finally:
            gc.unfreeze()


async def _refusal_of(work: object) -> str:
    try:
        await work  # type: ignore[misc]
    except BackendUnavailable as error:
        return error.code
    return ""
