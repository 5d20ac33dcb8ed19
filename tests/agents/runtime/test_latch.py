"""Long work holds between two steps while a robot is being answered."""

import asyncio
import threading

from agents.runtime.latch import Latch
from agents.runtime.life import Agent, hello_of
from protocols.messages.agent import AgentKind
from protocols.messages.job import WorkHold
from tests.agents.runtime.rig import running
from tests.fakes.services import ScriptedBackend, ScriptedService
from tests.virtual_time import settle, virtual


def nobody_left() -> bool:
    return False


def test_a_step_waits_for_the_release_and_not_longer() -> None:
    latch = Latch()
    latch.set(True)
    steps: list[str] = []

    def work() -> None:
        latch.pass_through(nobody_left)
        steps.append("went on")

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(0.2)
    assert steps == []
    latch.set(False)
    worker.join(5)
    assert steps == ["went on"]


def test_a_held_step_that_nobody_waits_for_ends() -> None:
    latch = Latch()
    latch.set(True)
    latch.pass_through(lambda: True)
    assert latch.held


@virtual
async def test_a_lost_release_holds_no_work_for_ever() -> None:
    latch = Latch()
    latch.set(True)
    await latch.wait()
    assert asyncio.get_running_loop().time() >= Latch.MAX_HOLD_S


@virtual
async def test_the_hub_holds_and_releases_an_agent_that_has_a_latch() -> None:
    latch = Latch()
    async with running(ScriptedService(), latch=latch) as rig:
        rig.hub.order(WorkHold(held=True), robot="")
        await settle()
        assert latch.held
        rig.hub.order(WorkHold(held=False), robot="")
        await settle()
        assert not latch.held


@virtual
async def test_work_is_not_held_by_a_hub_that_is_gone() -> None:
    latch = Latch()
    async with running(ScriptedService(), latch=latch) as rig:
        rig.hub.order(WorkHold(held=True), robot="")
        await settle()
        rig.runner.link_lost()
        assert not latch.held


def test_an_agent_with_a_latch_says_that_it_can_be_held() -> None:
    engine = ScriptedBackend()
    for latch, held in ((Latch(), True), (None, False)):
        agent = Agent(engine, (ScriptedService(),), capacity=1, latch=latch)
        hello = hello_of(AgentKind.IMAGE_GEN, "primary", agent, 1)
        assert ("work.hold" in hello.consumes) is held
